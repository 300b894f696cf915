/** `bosun import` takes a workspace from its folder into a cluster, `bosun export` back. Status and work go along. */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { clusterClient } from "../../../pkg/cluster/client.ts";
import type { ExchangeDeps } from "../../../pkg/cluster/exchange.ts";
import { type ChosenCluster, readCluster } from "../../../pkg/cluster/kubeconfig.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { clusterDeps } from "../cluster-deps.ts";
import type { Context } from "../context.ts";
import { copyObjects } from "../move/copy-objects.ts";
import { theWorkspace } from "../objects.ts";
import { ownDefinitions } from "../operator/definitions.ts";
import { openRegistry } from "../operator/file-plane.ts";
import { homeAnnotation, homeOf } from "../operator/home.ts";
import { requireKinds } from "../operator/known-kinds.ts";
import { type Start, thenTakeBack } from "../operator/start.ts";
import { stateOf } from "../operator/state-directory.ts";
import { type ClusterOfFolder, clusterOf } from "../operator-client/chosen-cluster.ts";
import { UserError } from "../user-error.ts";
import { FILE_NAMESPACE, findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

export interface ImportOptions {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

/** From the folder's YAML and log into the cluster. The folder then belongs to it. */
export async function importWorkspace(context: Context, options: ImportOptions): Promise<void> {
  const folder = findWorkspace(context.cwd);
  if (clusterOf(folder) !== undefined)
    throw new UserError(`This folder works for a cluster already: ${folder.cluster} says which.`);
  const file = options.kubeconfig === undefined ? undefined : path.resolve(context.cwd, options.kubeconfig);
  const choice = {
    ...(file === undefined ? {} : { file }),
    ...(options.context === undefined ? {} : { context: options.context }),
  };
  const chosen = await readCluster(choice);
  const namespace = options.namespace ?? chosen.namespace ?? "default";
  const deps = clusterDeps(chosen.access);
  const to = inCluster(deps, namespace);
  try {
    // What a server does not know of status would be lost on the way.
    await requireKinds({
      definitions: ownDefinitions(),
      deps,
      context: chosen.context,
      namespace,
      note: context.note,
    });
    await withRegistry(context, folder, async (from) => {
      const workspace = await theWorkspace(from);
      const home = homeOf(folder);
      await refuseOccupied(to, { home, chosen });
      await copyObjects(from, to, {
        annotations: { [homeAnnotation]: home },
        tell: ({ kind, name }) => context.out(`Copied ${kind} ${name}`),
      });
      // The state folder, with checkouts and totals, keeps the name it has.
      const note: ClusterOfFolder = {
        ...choice,
        context: chosen.context,
        namespace,
      };
      replaceFileSync(folder.state, `${stateOf(folder) ?? workspace.metadata.uid}\n`, { durable: true });
      replaceFileSync(folder.cluster, `${JSON.stringify(note)}\n`, { durable: true });
    });
  } finally {
    chosen.access.close();
  }
  context.out("");
  context.out(
    `The workspace lies in namespace ${namespace} of context ${chosen.context} now, and its YAML here is not read any more.`,
  );
  context.out("Next: bosun up");
}

/** From the cluster into the folder's log and YAML. The cluster's objects stay, for a person to delete. */
export async function exportWorkspace(context: Context): Promise<void> {
  const folder = findWorkspace(context.cwd);
  const cluster = clusterOf(folder);
  if (cluster === undefined)
    throw new UserError(
      `This folder works for no cluster: ${folder.path} is all there is, and nothing is to be exported.`,
    );
  const { access } = await readCluster(cluster);
  try {
    const from = inCluster(clusterDeps(access), cluster.namespace);
    const workspace = await theWorkspace(from);
    await withRegistry(context, folder, async (to) => {
      await copyObjects(from, to, { tell: ({ kind, name }) => context.out(`Copied ${kind} ${name}`) });
    });
    replaceFileSync(folder.state, `${stateOf(folder) ?? workspace.metadata.uid}\n`, { durable: true });
    rmSync(folder.cluster);
    context.out("");
    context.out(`The workspace lies in ${folder.path} now. Next: bosun up`);
    context.out(
      `What is left in the cluster does nothing; to remove it: kubectl --context ${cluster.context} -n ${cluster.namespace} delete workspace ${workspace.metadata.name}, and the rest.`,
    );
  } finally {
    access.close();
  }
}

function inCluster(deps: ExchangeDeps, namespace: string): Client & { readonly namespace: string } {
  return { ...clusterClient({ ...deps, namespace, fieldManager: "bosun" }), namespace };
}

/** A namespace has one Workspace. One of this folder's own is what an import that broke off has left. */
async function refuseOccupied(
  to: Client & { readonly namespace: string },
  { home, chosen }: { home: string; chosen: ChosenCluster },
): Promise<void> {
  const { items } = await to.list("Workspace", { namespace: to.namespace });
  const other = items.find(({ metadata }) => metadata.annotations?.[homeAnnotation] !== home);
  if (other !== undefined)
    throw new UserError(
      `Namespace ${to.namespace} of context ${chosen.context} has Workspace ${other.metadata.name} already. Name another with --namespace.`,
    );
}

/** The folder's own objects, its people's files read, while no operator runs. */
async function withRegistry(
  context: Context,
  folder: WorkspaceFolder,
  work: (client: Client & { readonly namespace: string }) => Promise<void>,
): Promise<void> {
  const start: Start = { clock: systemClock, logger: silentLogger, undo: [] };
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // Told where it is raced with; it may come while all is ended.
  const onFatal = (error: Error): void => failed.reject(error);
  const heedStop = (): void => {
    // Nothing runs that could be stopped.
  };
  const onRegistry = async (): Promise<void> => {
    mkdirSync(folder.operator, { recursive: true, mode: 0o700 });
    const { client } = await openRegistry({ folder, note: context.note, onFatal, heedStop }, start);
    await Promise.race([work({ ...client, namespace: FILE_NAMESPACE }), failed.promise]);
  };
  await thenTakeBack(start.undo, onRegistry, (error) =>
    context.note(`Then a part of it could not be ended: ${error instanceof Error ? error.message : error}`),
  );
}
