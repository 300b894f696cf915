/** A scratch workspace with ten agents and an operator in a process of its own: what the benches of a resting fleet look at. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { socketClient } from "../../../cmd/bosun/operator-client/socket-client.ts";
import { type WorkspaceFolder, workspaceFolder } from "../../../cmd/bosun/workspace-folder.ts";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { builtPackage } from "../../support/built-package.ts";

/** The command, as it is installed: a file for Node. */
export const bosun = builtPackage();
const agents = 10;
const startMsMax = 120_000;

export interface ScratchWorkspace extends AsyncDisposable {
  folder: WorkspaceFolder;
  env: Readonly<Record<string, string | undefined>>;
  /** Starts the operator and waits until all agents and Projects are seen to. */
  start(how: Upstream): Promise<RunningOperator>;
}

/** Which model the operator is started with: played, or spoken to at a URL. */
export type Upstream = { is: "rehearsal" } | { is: "real"; url: string };

export interface RunningOperator {
  /** By name; the git processes that stay for a while are not among them. */
  pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/**
 * Makes a repository and what a person would declare: ten agents, a Budget, and Projects that nobody is to work on.
 *
 * @param options.projects - how many, each a file of its own
 */
export function scratchWorkspace(options: { projects: number }): ScratchWorkspace {
  const scratch = mkdtempSync(path.join(tmpdir(), "bosun-bench-"));
  const repository = path.join(scratch, "repository");
  const env = { ...process.env, XDG_STATE_HOME: path.join(scratch, "state") };
  mkdirSync(repository);
  writeFileSync(path.join(repository, "package.json"), `{ "scripts": { "test": "exit 0" } }\n`);
  const git = (...args: string[]): void => void execFileSync("git", ["-C", repository, ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("-c", "user.name=Bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message=Begin");
  execFileSync(process.execPath, [bosun, "init", "--budget", "5"], {
    cwd: repository,
    env,
    stdio: "ignore",
  });
  const folder = workspaceFolder(repository);
  writeFileSync(
    path.join(folder.path, "pools.yaml"),
    `${pool("crew", "Execution", agents - 2)}---\n${pool("reviewers", "Review", 2)}`,
  );
  for (const name of readdirSync(path.join(folder.path, "projects")))
    rmSync(path.join(folder.path, "projects", name));
  for (let index = 1; index <= options.projects; index += 1)
    writeFileSync(path.join(folder.path, "projects", `p-${index}.yaml`), project(index));
  return {
    folder,
    env,
    start: (how) => start(folder, env, { ...options, how }),
    async [Symbol.asyncDispose]() {
      rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function start(
  folder: WorkspaceFolder,
  env: Readonly<Record<string, string | undefined>>,
  { projects, how }: { projects: number; how: Upstream },
): Promise<RunningOperator> {
  const real = how.is === "real" ? { ANTHROPIC_API_KEY: "bench", ANTHROPIC_BASE_URL: how.url } : {};
  const child = spawn(process.execPath, [bosun, "up", ...(how.is === "real" ? [] : ["--rehearse"])], {
    cwd: folder.repository,
    env: { ...env, ...real },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(child.stdout)) if (line.includes("The operator runs")) break;
  child.stdout.resume();
  await seenTo(folder, child, projects);
  const gateway = await readProcessRecord(path.join(folder.operator, "gateway"));
  const rehearsal = childrenOf(child.pid).find(({ command }) => command.includes("rehearsal/main"));
  return {
    pids: {
      operator: child.pid ?? 0,
      ...(gateway === undefined ? {} : { gateway: gateway.pid }),
      ...(rehearsal === undefined ? {} : { rehearsal: rehearsal.pid }),
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

async function seenTo(folder: WorkspaceFolder, child: ChildProcess, projects: number): Promise<void> {
  const client = socketClient(folder.socket);
  const endMs = performance.now() + startMsMax;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The operator ended with ${child.exitCode}.`);
    if (performance.now() > endMs) throw new Error("The operator did not see to its objects in time.");
    await sleep(200);
    try {
      const { items: found } = await client.list("Agent");
      const { items } = await client.list("Project");
      const ready = found.filter(({ status }) => status?.state !== undefined);
      const shown = items.filter(({ status }) => status?.phase !== undefined);
      if (ready.length === agents && shown.length === projects) return;
    } catch {
      // It does not listen yet.
    }
  }
}

function childrenOf(parent: number | undefined): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
        const [, parentPid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (Number(parentPid) !== parent) return [];
        return [{ pid: Number(entry), command: readFileSync(`/proc/${entry}/cmdline`, "utf8") }];
      } catch {
        // It has ended since it was listed.
        return [];
      }
    });
}

function pool(name: string, role: string, replicas: number): string {
  return `apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata: { name: ${name} }
spec: { role: ${role}, replicas: ${replicas} }
`;
}

function project(index: number): string {
  return `apiVersion: bosun.dev/v1alpha1
kind: Project
metadata: { name: p-${index} }
spec:
  title: Retry uploads that time out, part ${index}
  skip: true
  tasks:
    - { id: T-1, title: Retry three times with back-off }
  acceptanceCriteria:
    - { id: AC-1, text: An upload that times out twice succeeds at the third try. }
`;
}
