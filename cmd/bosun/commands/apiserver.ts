/** `bosun apiserver`: the Kubernetes API of any CRDs, alone, on a folder of data. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { admin } from "../../../pkg/apiserver/auth/user.ts";
import { type Api, createApi } from "../../../pkg/apiserver/server.ts";
import { givenDefinition } from "../../../pkg/registry/definitions/given-definition.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import { aborted } from "../../../pkg/runtime/aborted.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { openLog } from "../../../pkg/storage/log/log.ts";
import { meteredStorage } from "../../../pkg/storage/metered.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { http } from "../../../pkg/system/http.ts";
import { processMetrics } from "../../../pkg/system/process-metrics.ts";
import { systemClock, systemDefer, systemIds, systemRandom } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { takeLock } from "../operator/lock.ts";
import type { HolderWords } from "../operator/lock-holder.ts";
import { type Address, listenAt } from "../serving/listen.ts";
import { serve } from "../serving/serve.ts";
import { UserError } from "../user-error.ts";

export interface ApiServerOptions {
  crdDir: readonly string[];
  dataDir: string;
  /** `HOST:PORT`; port 0 takes a free one. */
  listen: string;
  kubeconfigOut?: string;
  garbageCollector: "on" | "off";
}

const words: HolderWords = {
  name: "An API server",
  place: "this folder of data",
  advice: "Give another --data-dir, or stop it with Ctrl-C where it runs.",
};

export async function apiserver(context: Context, options: ApiServerOptions): Promise<void> {
  const address = parseAddress(options.listen);
  const directory = path.resolve(context.cwd, options.dataDir);
  const kubeconfig = path.resolve(context.cwd, options.kubeconfigOut ?? path.join(directory, "kubeconfig"));
  const crds = options.crdDir.flatMap((folder) => definitions(path.resolve(context.cwd, folder)));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const failed = Promise.withResolvers<never>();
  // Until somebody waits for it, a failure must not end the process by itself.
  failed.promise.catch(() => {});
  const onError = (error: unknown): void => context.note(describe(error));

  // The socket is the lock, so it listens before there is anything to serve: early callers wait.
  const opened = Promise.withResolvers<Api>();
  const local = http.createServer(
    (request, response) => void opened.promise.then((api) => api.listener(() => admin)(request, response)),
  );
  const lock = await takeLock(
    {
      folder: directory,
      socket: "server.sock",
      server: local,
      clock: systemClock,
      words,
      note: context.note,
    },
    (unseen) =>
      failed.reject(
        unseen ?? new UserError("Another API server has taken this folder of data; this one ends."),
      ),
  );
  try {
    const metrics = new Metrics();
    processMetrics(metrics);
    const log = openLog({ directory: path.join(directory, "log"), fs: nodeFileSystem });
    const registry = await Registry.open({
      storage: meteredStorage(log, metrics, systemClock),
      crds,
      clock: systemClock,
      ids: systemIds,
      random: systemRandom,
      defer: systemDefer,
      collectGarbage: options.garbageCollector === "on",
      onFatal: (error) => failed.reject(error),
    });
    try {
      const api = createApi({ registry, metrics, onError });
      opened.resolve(api);
      const serving = await serve({
        api,
        folder: path.join(directory, "serving"),
        host: address.host,
        listen: (server) => listenAt(server, address),
        name: "bosun",
        kubeconfig,
        clock: systemClock,
        onError,
      });
      context.out(`Serving ${serving.url}\nKubeconfig: ${kubeconfig}`);
      await Promise.race([aborted(context.signal), failed.promise]);
      await serving.close();
    } finally {
      await log.close();
    }
  } finally {
    lock.release();
  }
}

function parseAddress(listen: string): Address {
  const [, host, port] = /^(.+):(\d+)$/.exec(listen) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new UserError(`--listen must be HOST:PORT, and is ${listen}.`, { exitCode: 2 });
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/** Every CustomResourceDefinition in the YAML files of a folder. Throws UserError naming the file of a bad one. */
function definitions(folder: string): unknown[] {
  return filesIn(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .flatMap((name) => definitionsIn(path.join(folder, name)));
}

function definitionsIn(file: string): unknown[] {
  try {
    const found = parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      return document.toJS() as { kind?: string } | null;
    });
    const wanted = found.filter((object) => object?.kind === "CustomResourceDefinition");
    // Read once more, and from memory, when they are served: here it is known whose file is wrong.
    for (const definition of wanted) givenDefinition(definition);
    return wanted;
  } catch (cause) {
    throw new UserError(`${file}: ${(cause as Error).message}`, { exitCode: 2, cause });
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "is not there" : "can't be read";
    throw new UserError(`The folder of definitions ${folder} ${why}.`, { exitCode: 2, cause: error });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
