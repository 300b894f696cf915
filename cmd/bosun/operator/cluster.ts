/** Cluster mode: what is declared and observed lies in a cluster, and a Lease elects the one operator that acts. */
import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { hostname } from "node:os";
import path from "node:path";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Access } from "../../../pkg/cluster/access.ts";
import { calmAccess } from "../../../pkg/cluster/calm-access.ts";
import { clusterClient } from "../../../pkg/cluster/client.ts";
import type { ExchangeDeps } from "../../../pkg/cluster/exchange.ts";
import { type ChosenCluster, type ClusterChoice, readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { leaseStore } from "../../../pkg/cluster/leases.ts";
import { passOn } from "../../../pkg/cluster/pass-on.ts";
import { actingClient } from "../../../pkg/runtime/acting-client.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { processMetrics } from "../../../pkg/system/process-metrics.ts";
import { clusterDeps } from "../cluster-deps.ts";
import type { ClusterOfFolder } from "../operator-client/chosen-cluster.ts";
import { answerNotice } from "../stop/stop-notice.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownDefinitions } from "./definitions.ts";
import { type Elected, elected } from "./elected.ts";
import { claimHome, homeOf, keepHome, refuseOtherHome } from "./home.ts";
import { kindsGone } from "./kinds-gone.ts";
import { requireKinds } from "./known-kinds.ts";
import { takeLock } from "./lock.ts";
import { missingRights } from "./missing-rights.ts";
import { onlyWorkspace } from "./only-workspace.ts";
import { serverWarnings } from "./server-warnings.ts";
import type { Start } from "./start.ts";

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
 * @throws UserError when the cluster does not know Bosun's kinds as this version has them, has no Workspace for this folder, or its work lies
 *   elsewhere; any error of `readCluster`
 */
export async function openCluster(options: OpenClusterOptions, start: Start): Promise<ControlPlane> {
  const { folder, cluster, note, onFatal } = options;
  const { clock, logger, undo } = start;
  const reached = await reach(options, start);
  const { chosen, access, namespace, direct } = reached;
  const home = homeOf(folder);
  refuseOtherHome(await onlyWorkspace(direct, chosen, namespace), home);

  const { right, held, release } = await waitForLease(reached, options, logger);
  undo.push(release);
  const client = actingClient(direct, held);

  const metrics = new Metrics();
  processMetrics(metrics);
  const takenOver = new UserError(
    "Another operator has taken this folder, or its lock was removed; this one ends.",
  );
  const lock = await takeLock(
    {
      folder: folder.operator,
      socket: path.basename(folder.socket),
      server: socketServer(passOn(access), metrics, options),
      clock,
      note,
    },
    (unseen) => onFatal(unseen ?? takenOver),
  );
  undo.push(() => lock.release());
  // Looked at once more: while this one waited, another may have begun to work elsewhere.
  await claimHome(client, await onlyWorkspace(direct, chosen, namespace), home);
  remember(folder, { ...cluster, context: chosen.context, namespace });
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
    // A cluster lets its Events expire by itself, and is reached by its own kubeconfig.
    async begin() {
      const keeping = keepHome({ client, namespace, clock, logger }, home);
      undo.push(() => keeping.abort());
    },
  };
}

/** A cluster whose kinds are known to be Bosun's. */
interface Reached {
  chosen: ChosenCluster;
  access: Access;
  namespace: string;
  /** What requests are made with: what their answers say of the server is told to the person. */
  deps: ExchangeDeps;
  /** Writes whether elected or not. */
  direct: Client;
}

async function reach(
  { cluster, note, signal }: OpenClusterOptions,
  { clock, undo }: Start,
): Promise<Reached> {
  const chosen = await readCluster(cluster);
  const access = calmAccess(chosen.access, clock);
  const ending = new AbortController();
  undo.push(() => {
    ending.abort();
    access.close();
  });
  const { context } = chosen;
  const { server } = access;
  const namespace = cluster.namespace ?? chosen.namespace ?? "default";
  const quiet = { ...clusterDeps(access), clock };
  await requireKinds({ definitions: ownDefinitions(), deps: quiet, context, namespace, note, signal });
  const deps = {
    ...quiet,
    seen: kindsGone(server, note),
    warned: serverWarnings(server, note),
    forbidden: missingRights({ server, namespace, clock, signal: ending.signal, note }),
  };
  return {
    chosen,
    access,
    namespace,
    deps,
    direct: clusterClient({ ...deps, namespace, fieldManager: "bosun" }),
  };
}

/** Resolves once elected. The person is told who is waited for, and when the Lease is lost and held again. */
function waitForLease(
  { deps, namespace }: Reached,
  { note, signal }: OpenClusterOptions,
  logger: Logger,
): Promise<Elected> {
  const lease = `Lease ${namespace}/${leaseName}`;
  return elected({
    election: {
      store: leaseStore(deps, { namespace, name: leaseName }),
      identity: `${hostname()}_${randomUUID()}`,
      clock: deps.clock,
      random: deps.random,
      logger,
      waitingFor: (holder) =>
        note(
          `Another operator acts: ${holder} holds the ${lease}. This one does nothing until that one ends.`,
        ),
      hindered(error) {
        // A right that is missing is told already, with how it is given.
        if (error instanceof StatusError && error.code === 403) return;
        note(
          `The ${lease} can't be asked for, and is tried again: ${error instanceof Error ? error.message : error}`,
        );
      },
    },
    signal,
    onLost: (why) =>
      note(
        `The ${lease} is lost: ${why.replace(/\.$/, "")}. Sessions go on within what they were granted; nothing is claimed, reviewed or merged until the Lease is held again.`,
      ),
    onHeld: () => note(`The ${lease} is held again.`),
  });
}

/** What the folder's socket leads to: this operator for what is its own, the cluster for all else. */
function socketServer(
  forward: RequestListener,
  metrics: Metrics,
  { heedStop }: Pick<OpenClusterOptions, "heedStop">,
): Server {
  return createServer((request, response) => {
    if (answerNotice(request, response, heedStop)) return;
    if (request.url === "/metrics") response.end(metrics.render());
    else forward(request, response);
  });
}

/** So that commands, and the next `bosun up`, find the cluster that the folder belongs to. */
function remember(folder: WorkspaceFolder, chosen: ClusterOfFolder): void {
  replaceFileSync(folder.cluster, `${JSON.stringify(chosen)}\n`, { durable: true });
}
