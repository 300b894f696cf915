/** Servers that are killed and come back: the API server alone, or a whole operator in a repository of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, connect, readKubeconfig } from "../support/api.ts";

export interface Killable {
  readonly api: Api;
  /** Ends it as power loss ends a process, and starts it again; resolves when it answers. */
  kill(): Promise<void>;
  /** Ends it in order and removes all that it left. */
  close(): Promise<void>;
}

const bosun = path.resolve(import.meta.dirname, "../../bin/bosun.mjs");
/** How often it is looked whether a start is done, in milliseconds. */
const lookMs = 10;

/** `bosun apiserver` on the definitions in `crds`. */
export async function apiServer(crds: string): Promise<Killable> {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-soak-"));
  const kubeconfig = path.join(folder, "kubeconfig");
  const data = path.join(folder, "data");
  const args = ["apiserver", "--crd-dir", crds, "--data-dir", data, "--kubeconfig-out", kubeconfig];
  let child = start(["--listen", "127.0.0.1:0"]);
  while (!existsSync(kubeconfig)) await look(child);
  const credentials = readKubeconfig(kubeconfig);
  const api = connect(credentials);
  const listen = ["--listen", new URL(credentials.server).host];
  await answers();

  function start(more: readonly string[]): ChildProcess {
    mkdirSync(folder, { recursive: true });
    const log = openSync(path.join(folder, "server.log"), "a");
    const started = spawn(process.execPath, [bosun, ...args, ...more], { stdio: ["ignore", log, log] });
    closeSync(log);
    return started;
  }

  async function look(of: ChildProcess): Promise<void> {
    if (of.exitCode !== null)
      throw new Error(
        `The server ended with ${of.exitCode}:\n${readFileSync(path.join(folder, "server.log"), "utf8")}`,
      );
    await sleep(lookMs);
  }

  async function answers(): Promise<void> {
    for (;;) {
      const answer = await api.send("GET", "/readyz").catch(() => undefined);
      if (answer?.status === 200) return;
      await look(child);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  return {
    api,
    async kill() {
      await end("SIGKILL");
      child = start(listen);
      await answers();
    },
    async close() {
      await end("SIGINT");
      api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
