/** How commands reach objects: by the running operator; without one, the cluster itself or what the log last said. */
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Context } from "../context.ts";
import { giveRole } from "../give-role.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";
import { type ClusterOfFolder, clusterOf } from "./chosen-cluster.ts";
import {
  NoOperatorError,
  type OperatorClient,
  type Reader,
  SilentOperatorError,
  socketClient,
} from "./socket-client.ts";

export interface Connection<C> {
  client: C;
  folder: WorkspaceFolder;
}

/**
 * Runs `work` on the running operator; in cluster mode without one too, on the cluster.
 *
 * @throws UserError that says what to do when no operator runs
 */
export async function withOperator<T>(
  { cwd }: Pick<Context, "cwd">,
  work: (connection: Connection<OperatorClient>) => Promise<T>,
): Promise<T> {
  const folder = findWorkspace(cwd);
  const cluster = clusterOf(folder);
  try {
    return await work({ client: socketClient(folder.socket, cluster?.namespace), folder });
  } catch (error) {
    if (!(error instanceof NoOperatorError)) throw explained(error, cluster);
    if (cluster !== undefined) return await onCluster(cluster, (client) => work({ client, folder }));
    const unheard = await whyUnheard(folder);
    if (unheard !== undefined)
      throw new UserError(`No object was changed. ${unheard} Run this again then.`, { cause: error });
    throw new UserError(
      `No operator is running in ${folder.repository}, so no object was changed. Start one with \`bosun up\`, or edit the YAML in ${folder.path}: the next one reads it.`,
      { cause: error },
    );
  }
}

/** Loaded only where it is needed: most commands find an operator, and start faster without it. */
async function whyUnheard(folder: WorkspaceFolder): Promise<string | undefined> {
  const { whyUnheard } = await import("./unheard.ts");
  return await whyUnheard(folder);
}

/** What looks at objects waits so long for an operator before it shows what was known last, in milliseconds. */
const readPatienceMs = 5_000;

export interface Liveness {
  /** Whether an operator answers. */
  live: boolean;
  /** Where one lives and does not: why, in sentences. */
  unheard?: string;
}

/** Runs `read` on the running operator; without one, or when it gives no answer, on the last known state, which it then says. */
export async function withObjects<T>(
  context: Pick<Context, "cwd" | "note">,
  read: (connection: Connection<Reader> & Liveness) => Promise<T>,
  { patienceMs = readPatienceMs }: { patienceMs?: number } = {},
): Promise<T> {
  const folder = findWorkspace(context.cwd);
  const cluster = clusterOf(folder);
  let unheard: string | undefined;
  try {
    const client = socketClient(folder.socket, cluster?.namespace, patienceMs);
    return await read({ client, folder, live: true });
  } catch (error) {
    const isSilent = error instanceof SilentOperatorError;
    if (!isSilent && !(error instanceof NoOperatorError)) throw explained(error, cluster);
    unheard = isSilent ? `${error.message}.` : await whyUnheard(folder);
  }
  const why = unheard === undefined ? "No operator is running;" : `${unheard} Meanwhile, the`;
  const liveness = { live: false, ...(unheard === undefined ? {} : { unheard }) };
  if (cluster !== undefined) {
    context.note(`${why} the cluster's last word.`);
    return await onCluster(cluster, (client) => read({ client, folder, ...liveness }));
  }
  const { lastKnown } = await import("./last-known.ts");
  const client = await lastKnown(folder.log);
  if (client === undefined) {
    throw new UserError(
      `No operator has run in ${folder.repository} yet. Start one with \`bosun up\` or \`bosun up --rehearse\`.`,
    );
  }
  context.note(`${why} last known state.`);
  return await read({ client, folder, ...liveness });
}

async function onCluster<T>(
  { namespace, ...choice }: ClusterOfFolder,
  work: (client: OperatorClient) => Promise<T>,
): Promise<T> {
  // Loaded here alone: in file mode no command pays for it.
  const { readCluster } = await import("../../../pkg/cluster/kubeconfig.ts");
  const { clusterClient } = await import("../../../pkg/cluster/client.ts");
  const { clusterDeps } = await import("../cluster-deps.ts");
  const { access } = await readCluster(choice);
  try {
    const deps = { ...clusterDeps(access), namespace, fieldManager: "bosun-cli" };
    return await work({ ...clusterClient(deps), namespace });
  } catch (error) {
    throw explained(error, { namespace });
  } finally {
    access.close();
  }
}

/** In a cluster commands have the rights of who runs the operator, whose role is the operator's alone. */
function explained(error: unknown, cluster: Pick<ClusterOfFolder, "namespace"> | undefined): unknown {
  if (cluster === undefined || !(error instanceof StatusError) || error.code !== 403) return error;
  const user = /User "([^"]+)" cannot/.exec(error.message)?.[1];
  if (user === undefined) return error;
  return new UserError(
    `${error.message}. Commands need the role of who declares and steers: ${giveRole({ role: "bosun-edit", namespace: cluster.namespace, user })}`,
    { cause: error },
  );
}
