/** `bosun apiserver`: the Kubernetes API of any CRDs, alone, on a folder of data. */
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { createApiServer } from "../../../pkg/apiserver/server.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import { openLog } from "../../../pkg/storage/log/log.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { systemClock, systemDefer, systemIds, systemRandom } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { UserError } from "../user-error.ts";

export interface ApiServerOptions {
  crdDir: readonly string[];
  dataDir: string;
  /** `HOST:PORT`; port 0 takes a free one. */
  listen: string;
}

export async function apiserver(context: Context, options: ApiServerOptions): Promise<void> {
  const { host, port } = address(options.listen);
  const directory = path.resolve(context.cwd, options.dataDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const failed = Promise.withResolvers<never>();
  const log = openLog({ directory: path.join(directory, "log"), fs: nodeFileSystem });
  const registry = await Registry.open({
    storage: log,
    crds: options.crdDir.flatMap((folder) => definitions(path.resolve(context.cwd, folder))),
    clock: systemClock,
    ids: systemIds,
    random: systemRandom,
    defer: systemDefer,
    onFatal: (error) => failed.reject(error),
  });
  const server = createApiServer({ registry, onError: (error) => context.note(String(error)) });
  server.listen(port, host);
  await once(server, "listening");
  context.out(`Serving http://${host}:${(server.address() as AddressInfo).port}`);
  const ended = context.signal.aborted
    ? Promise.resolve()
    : once(context.signal, "abort").then(() => undefined);
  await Promise.race([ended, failed.promise]);
  server.close();
  server.closeAllConnections();
  await log.close();
}

function address(listen: string): { host: string; port: number } {
  const match = /^(.+):(\d+)$/.exec(listen);
  if (match === null) throw new UserError(`--listen must be HOST:PORT, and is ${listen}.`, { exitCode: 2 });
  return { host: match[1] as string, port: Number(match[2]) };
}

/** Every CustomResourceDefinition in the YAML files of a folder. */
function definitions(folder: string): unknown[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(path.join(folder, name), "utf8")))
    .map((document) => document.toJS() as { kind?: string } | null)
    .filter((object) => object?.kind === "CustomResourceDefinition");
}
