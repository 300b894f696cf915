/** Cluster mode: what is declared and observed lies in a cluster, and a Lease elects the one operator that acts. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { hostname } from "node:os";
import path from "node:path";
import type { Workspace } from "../../../pkg/api/generated.ts";
import { keyOf } from "../../../pkg/api/meta.ts";
import { clusterClient } from "../../../pkg/cluster/client.ts";
import { type ChosenCluster, type ClusterChoice, readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { leaseStore } from "../../../pkg/cluster/leases.ts";
import { passOn } from "../../../pkg/cluster/pass-on.ts";
import { actingClient } from "../../../pkg/runtime/acting-client.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import type { ElectionOptions } from "../../../pkg/runtime/leader-election.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { replaceFile } from "../../../pkg/session/durable-file.ts";
import { processMetrics } from "../../../pkg/system/process-metrics.ts";
import { systemRandom } from "../../../pkg/system/system.ts";
import type { ClusterOfFolder } from "../operator-client/chosen-cluster.ts";
import { answerNotice } from "../stop/stop-notice.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Right } from "./acting.ts";
import { elected } from "./elected.ts";
import { homeAnnotation, homeOf, refuseOtherHome } from "./home.ts";
import { ofKnownKind } from "./known-kinds.ts";
import { type Lock, takeLock } from "./lock.ts";
import { serverWarnings } from "./server-warnings.ts";

export interface ClusterOptions extends ClusterChoice {
  /** Absent: the context's. */
  namespace?: string;
}

export interface OpenClusterOptions {
  folder: WorkspaceFolder;
  cluster: ClusterOptions;
  /** Ends the wait for the Lease. */
  signal: AbortSignal;
  note(line: string): void;
  onFatal(error: Error): void;
  /** Called when somebody tells of an emergency stop. */
  heedStop(): void;
}

/** The Lease's name: one operator acts in a namespace. */
const leaseName = "bosun";

/**
 * Waits for the Lease of the namespace, then takes the folder's lock, so that commands find this operator. The Lease
 * is given back by the first of `undo`'s steps, so when all others have been taken back.
 *
 * @throws UserError when the cluster does not know Bosun's kinds, has no Workspace for this folder, or its work lies
 *   elsewhere; any error of `readCluster`
 */
export async function openCluster(
  { folder, cluster, signal, note, onFatal, heedStop }: OpenClusterOptions,
  { clock, logger, undo }: { clock: Clock; logger: Logger; undo: (() => void | Promise<void>)[] },
): Promise<{
  client: Client;
  namespace: string;
  lock: Lock;
  metrics: Metrics;
  right: Right;
  assertHeld(): void;
  assertMayAct(): void;
}> {
  const chosen = await readCluster(cluster);
  const { access } = chosen;
  undo.push(() => access.close());
  const namespace = cluster.namespace ?? chosen.namespace ?? "default";
  const warned = serverWarnings(access.server, note);
  const deps = { access, clock, random: systemRandom, userAgent: "bosun", warned };
  const direct = clusterClient({ ...deps, namespace, fieldManager: "bosun" });
  const home = homeOf(folder);
  refuseOtherHome(await workspaceIn(direct, chosen, namespace), home);

  const election: ElectionOptions = {
    store: leaseStore(deps, { namespace, name: leaseName }),
    identity: `${hostname()}_${randomUUID()}`,
    clock,
    random: systemRandom,
    logger,
    waitingFor: (holder) =>
      note(
        `Another operator acts: ${holder} holds the Lease ${namespace}/${leaseName}. This one does nothing until that one ends.`,
      ),
  };
  const { right, held, release } = await elected({
    election,
    signal,
    onLost: () =>
      note(
        `The Lease ${namespace}/${leaseName} is lost: ${access.server} could not be reached in time, or another operator has it. Sessions go on within what they were granted; nothing is claimed, reviewed or merged until the Lease is held again.`,
      ),
    onHeld: () => note(`The Lease ${namespace}/${leaseName} is held again.`),
  });
  undo.push(release);
  const client = actingClient(direct, held);

  const metrics = new Metrics();
  processMetrics(metrics);
  const forward = passOn(access);
  const takenOver = new UserError("Another operator has taken this folder; this one ends.");
  const lock = await takeLock(
    {
      folder: folder.operator,
      socket: path.basename(folder.socket),
      server: createServer((request, response) => {
        if (answerNotice(request, response, heedStop)) return;
        if (request.url === "/metrics") response.end(metrics.render());
        else forward(request, response);
      }),
      clock,
    },
    () => onFatal(takenOver),
  );
  undo.push(() => lock.release());
  // Looked at once more: while this one waited, another may have begun to work elsewhere.
  await claimHome(client, await workspaceIn(direct, chosen, namespace), home);
  const chosenCluster: ClusterOfFolder = {
    ...(cluster.file === undefined ? {} : { file: cluster.file }),
    context: chosen.context,
    namespace,
  };
  replaceFile(folder.cluster, `${JSON.stringify(chosenCluster)}\n`, { durable: true });
  note(`Working for namespace ${namespace} of context ${chosen.context} (${access.server}).`);
  return {
    client,
    namespace,
    lock,
    metrics,
    right,
    assertHeld() {
      if (lock.isHeld()) return;
      onFatal(takenOver);
      throw takenOver;
    },
    assertMayAct() {
      if (held() && lock.isHeld()) return;
      throw new TransientError("NotLeading", "This operator may have been replaced, so it does nothing.");
    },
  };
}

async function workspaceIn(client: Client, chosen: ChosenCluster, namespace: string): Promise<Workspace> {
  const { context, access } = chosen;
  const where = `namespace ${namespace} of context ${context} (${access.server})`;
  const { items: workspaces } = await ofKnownKind(client.list("Workspace", { namespace }), chosen);
  const [workspace, second] = workspaces;
  if (workspace === undefined)
    throw new UserError(
      `There is no Workspace in ${where}. Apply one (manifests/samples has an example), or name another with --namespace.`,
    );
  if (second !== undefined)
    throw new UserError(
      `There is more than one Workspace in ${where}: ${workspaces.map(({ metadata }) => metadata.name).join(", ")}. Each needs a namespace of its own.`,
    );
  return workspace;
}

async function claimHome(client: Client, workspace: Workspace, home: string): Promise<void> {
  refuseOtherHome(workspace, home);
  const { annotations, resourceVersion } = workspace.metadata;
  if (annotations?.[homeAnnotation] === home) return;
  await client.patch("Workspace", keyOf(workspace), {
    metadata: { resourceVersion, annotations: { [homeAnnotation]: home } },
  });
}
