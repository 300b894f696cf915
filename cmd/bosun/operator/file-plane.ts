/** File mode: what is declared and observed lies in the workspace's own folder, which one operator has at a time. */
import path from "node:path";
import { admin } from "../../../pkg/apiserver/auth/user.ts";
import { type Api, createApi } from "../../../pkg/apiserver/server.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { eventRecorder } from "../../../pkg/runtime/events.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { glanceAt } from "../../../pkg/storage/files/folder.ts";
import { openLog } from "../../../pkg/storage/log/log.ts";
import { meteredStorage } from "../../../pkg/storage/metered.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import type { StoredState } from "../../../pkg/storage/storage.ts";
import { http } from "../../../pkg/system/http.ts";
import { processMetrics } from "../../../pkg/system/process-metrics.ts";
import { systemDefer, systemIds, systemRandom } from "../../../pkg/system/system.ts";
import { listenAtKeptPort } from "../serving/listen.ts";
import { serve } from "../serving/serve.ts";
import { answerNotice } from "../stop/stop-notice.ts";
import { FILE_NAMESPACE, type WorkspaceFolder } from "../workspace-folder.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownDefinitions } from "./definitions.ts";
import { pruneEvents } from "./events.ts";
import { type Lock, takeLock } from "./lock.ts";
import { openFiles } from "./people-files.ts";
import type { Start } from "./start.ts";
import { takenOver } from "./taken-over.ts";

export interface FilePlaneOptions {
  folder: WorkspaceFolder;
  /** Told what a person should know at once. */
  note(line: string): void;
  /** The operator can't go on: another took the lock, or the storage failed. */
  onFatal(error: Error): void;
  /** Called when somebody tells of an emergency stop. */
  heedStop(): void;
  /** Called when the folder is this operator's: time for what takes long and asks no object. */
  onHeld?(): void;
}

/** @throws UserError when another operator has the folder; any error of `Registry.open` */
export async function openFilePlane(options: FilePlaneOptions, start: Start): Promise<ControlPlane> {
  const { client, api, lock, metrics } = await openRegistry(options, start);
  /** Ends an operator that finds out that it is none any more. */
  const assertHeld = (): void => {
    if (lock.isHeld()) return;
    const error = takenOver(options.folder);
    options.onFatal(error);
    throw error;
  };
  return {
    client,
    namespace: FILE_NAMESPACE,
    lock,
    metrics,
    assertHeld,
    // Whoever has the folder has the objects: they lie in it.
    assertMayAct: assertHeld,
    async begin({ metadata }) {
      await serveKubernetes(api, metadata.name, options, start);
      const pruning = pruneEvents(client, start.clock, start.logger);
      start.undo.push(() => pruning.abort());
    },
  };
}

/** Lock, log, registry and people's files, in this order: nobody reads a log that another may write. */
export async function openRegistry(
  { folder, note, onFatal, heedStop, onHeld }: FilePlaneOptions,
  { clock, logger, undo }: Start,
): Promise<{ client: Client; api: Api; lock: Lock; metrics: Metrics }> {
  // The socket is the lock, so it listens before there is anything to serve: early callers wait.
  const served = Promise.withResolvers<Api>();
  const server = http.createServer((request, response) => {
    if (answerNotice(request, response, heedStop)) return;
    void served.promise.then((api) => api.listener(() => admin)(request, response));
  });
  const lock = await takeLock(
    { folder: folder.operator, socket: path.basename(folder.socket), server, clock, note },
    (unseen) => onFatal(unseen ?? takenOver(folder)),
  );
  undo.push(() => lock.release());
  onHeld?.();
  // While the log is opened. Whoever reads the folder is told why it can't be.
  const glancing = glanceAt({ folder: folder.path, fs: nodeFileSystem, clock }).catch(() => undefined);

  const log = openLog({ directory: folder.log, fs: nodeFileSystem });
  let stored: StoredState = { revision: 0, objects: [], files: [] };
  const metrics = new Metrics();
  processMetrics(metrics);
  const storage = meteredStorage(log, metrics, clock);
  const registry = await Registry.open({
    storage: {
      open: async () => {
        stored = await storage.open();
        return stored;
      },
      commit: (transaction) => storage.commit(transaction),
      close: () => storage.close(),
    },
    crds: ownDefinitions(),
    clock,
    ids: systemIds,
    random: systemRandom,
    defer: systemDefer,
    onFatal,
  });
  undo.push(() => log.close());
  const api = createApi({
    registry,
    metrics,
    onError: (error) => logger.error("A request failed", { error }),
  });
  served.resolve(api);
  undo.push(() => api.drain());

  // Whatever people keep in other namespaces is none of Bosun's business.
  const client = registryClient(registry, "bosun", { namespace: FILE_NAMESPACE });
  const events = eventRecorder({ client, clock, ids: systemIds, logger, component: "bosun-files" });
  const glance = await glancing;
  const files = await openFiles({ folder, registry, client, stored, clock, logger, events, glance, note });
  undo.push(() => files.close());
  return { client, api, lock, metrics };
}

/** The same API for kubectl and any other client of Kubernetes, at a port of this workspace's own. */
async function serveKubernetes(
  api: Api,
  name: string,
  { folder, note }: FilePlaneOptions,
  { clock, logger, undo }: Start,
): Promise<void> {
  const host = "127.0.0.1";
  const serving = await serve({
    api,
    folder: folder.serving,
    host,
    listen: (server) => listenAtKeptPort(server, { host, file: folder.port, seed: folder.path }),
    name,
    kubeconfig: folder.kubeconfig,
    clock,
    onError: (error) => logger.warn("A certificate could not be renewed", { error }),
  });
  undo.push(() => serving.close());
  note(
    `kubectl works here at ${serving.url}: \`bosun kubectl get projects\`, or \`eval "$(bosun env)"\` once.`,
  );
}
