/** For tests: an API server on a real unix socket, as a running operator has it, and a context that remembers. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { createApiServer } from "../../../pkg/apiserver/server.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { MemoryStorage } from "../../../pkg/storage/memory.ts";
import type { Storage } from "../../../pkg/storage/storage.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { systemClock, systemDefer, systemIds, systemRandom } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { runProgram } from "../program.ts";
import { type WorkspaceFolder, workspaceFolder } from "../workspace-folder.ts";

/** A registry that serves Bosun's kinds. */
export async function openRegistry(storage: Storage = new MemoryStorage()): Promise<Registry> {
  const folder = path.join(packageRoot(), "crds");
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return await Registry.open({
    storage,
    crds: files.map((file) => parse(readFileSync(path.join(folder, file), "utf8"))),
    clock: systemClock,
    ids: systemIds,
    random: systemRandom,
    defer: systemDefer,
  });
}

/** Creates every object of a YAML text, as `kubectl create -f` would. */
export async function createAll(registry: Registry, yaml: string): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS();
    if (object === null) continue;
    const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
    const resource = registry.resourceByKind(group, object.kind);
    if (resource === undefined) throw new Error(`Nothing serves ${object.apiVersion} ${object.kind}.`);
    const status = object.status;
    await registry.create(resource.id, "default", object);
    if (status !== undefined) {
      const key = { namespace: "default", name: object.metadata.name };
      await registry.patch(resource.id, key, { type: "merge", body: { status } }, { subresource: "status" });
    }
  }
}

export interface TestOperator extends AsyncDisposable {
  folder: WorkspaceFolder;
  client: Client;
  registry: Registry;
  /** Runs one command line in the workspace. */
  run(...args: string[]): Promise<{ exitCode: number; out: string[]; notes: string[] }>;
}

/** Serves `yaml` at the socket of a workspace in a new temporary folder. */
export async function startOperator(yaml: string): Promise<TestOperator> {
  const folder = temporaryWorkspace();
  const registry = await openRegistry();
  await createAll(registry, yaml);
  const server = createApiServer({ registry });
  server.listen(folder.socket);
  await once(server, "listening");
  return {
    folder,
    registry,
    client: registryClient(registry, "bosun"),
    run: (...args) => runIn(folder.repository, args),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      rmSync(folder.repository, { recursive: true, force: true });
    },
  };
}

/** A folder with an empty `.claude-sessions/.bosun/`. Removing it is the caller's. */
export function temporaryWorkspace(): WorkspaceFolder {
  const folder = workspaceFolder(mkdtempSync(path.join(tmpdir(), "bosun-cmd-")));
  mkdirSync(folder.operator, { recursive: true });
  return folder;
}

/** Runs one command line in `cwd` and remembers what it printed. */
export async function runIn(
  cwd: string,
  args: readonly string[],
  more: Partial<Context> = {},
): Promise<{ exitCode: number; out: string[]; notes: string[] }> {
  const out: string[] = [];
  const notes: string[] = [];
  const exitCode = await runProgram(args, {
    cwd,
    env: {},
    out: (line) => void out.push(...line.split("\n")),
    note: (line) => void notes.push(...line.split("\n")),
    isTerminal: false,
    onUnread: () => undefined,
    width: 100,
    now: () => Date.now(),
    ask: async () => undefined,
    signal: new AbortController().signal,
    ...more,
  });
  return { exitCode, out, notes };
}

/** Waits until `look` holds; fails loudly when it never does, which a minute says of a starved machine too. */
export async function until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.elapsed() + 60_000;
  while (!(await look())) {
    if (systemClock.elapsed() > endMs) throw new Error(`Waited 60 seconds in vain for: ${what}`);
    await systemClock.sleep(5);
  }
}
