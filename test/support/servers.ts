/** Servers that are killed and come back: the API server alone, or a whole operator in a repository of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signalIfAlive } from "../../pkg/system/testing/signal-if-alive.ts";
import { processesOf } from "../e2e/processes.ts";
import { type Api, connect, readKubeconfig } from "./api.ts";
import { bosunCommand } from "./bosun-command.ts";

export interface Killable {
  readonly api: Api;
  /** The file that says how to reach it. */
  readonly kubeconfig: string;
  /** Ends it as power loss ends a process, and starts it again; resolves when it answers. */
  kill(): Promise<void>;
  /** Ends it in order and removes all that it left. */
  close(): Promise<void>;
}

/** How often it is looked whether a start is done, in milliseconds. */
const lookMs = 10;

/** `bosun apiserver` on the definitions in `crds`, with `more` arguments. */
export async function apiServer(crds: string, ...more: readonly string[]): Promise<Killable> {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-soak-"));
  const kubeconfig = path.join(folder, "kubeconfig");
  const data = path.join(folder, "data");
  const args = ["apiserver", "--crd-dir", crds, "--data-dir", data, "--kubeconfig-out", kubeconfig, ...more];
  return await killable({
    folder,
    kubeconfig,
    // Its port stays its own, as an operator's does.
    args: (server) => [...args, "--listen", server === undefined ? "127.0.0.1:0" : new URL(server).host],
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  });
}

/** `bosun up --rehearse` in a small repository with these files in `.claude-sessions`. */
export async function operator(
  files: Readonly<Record<string, string>>,
): Promise<Killable & { folder: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-soak-"));
  const repository = path.join(folder, "repo");
  const sessions = path.join(repository, ".claude-sessions");
  for (const [name, text] of Object.entries({ "../README.md": "# A library\n", ...files })) {
    mkdirSync(path.dirname(path.join(sessions, name)), { recursive: true });
    writeFileSync(path.join(sessions, name), text);
  }
  const identity = ["-c", "user.name=A person", "-c", "user.email=person@bosun.invalid"];
  const git = (...args: string[]): void => void execFileSync("git", ["-C", repository, ...identity, ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "README.md");
  git("commit", "--quiet", "--message=Begin");
  const server = await killable({
    folder,
    kubeconfig: path.join(sessions, ".bosun/kubeconfig"),
    args: () => ["up", "--rehearse"],
    cwd: repository,
    env: { ...process.env, XDG_STATE_HOME: path.join(folder, "state") },
    async remove() {
      // What outlives a killed operator on purpose.
      for (const { pid } of await processesOf(folder)) signalIfAlive(pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  });
  return { ...server, folder: sessions };
}

interface KillableOptions {
  readonly folder: string;
  readonly kubeconfig: string;
  /** @param server - where it listened before; undefined at the first start */
  readonly args: (server: string | undefined) => readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly remove: () => Promise<void>;
}

async function killable({ folder, kubeconfig, args, cwd, env, remove }: KillableOptions): Promise<Killable> {
  let isClosed = false;
  let child = start(args(undefined));
  while (!existsSync(kubeconfig)) await look(child);
  const credentials = readKubeconfig(kubeconfig);
  const api = connect(credentials);
  await answers();

  function start(words: readonly string[]): ChildProcess {
    const log = openSync(path.join(folder, "server.log"), "a");
    const started = spawn(process.execPath, [bosunCommand(), ...words], {
      cwd,
      env,
      stdio: ["ignore", log, log],
    });
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
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  return {
    api,
    kubeconfig,
    async kill() {
      await end("SIGKILL");
      if (isClosed) return;
      child = start(args(credentials.server));
      await answers();
    },
    async close() {
      isClosed = true;
      await end("SIGINT");
      api.close();
      await remove();
    },
  };
}
