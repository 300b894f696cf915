/** The demo as a process of its own: started, killed at a wanted moment, started again, until all work has ended. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type WorkspaceFolder, workspaceFolder } from "../../cmd/bosun/workspace-folder.ts";
import { type Demo, demoIn, prepare } from "../../hack/demo/prepare.ts";
import type { Failpoint } from "../../pkg/runtime/failpoints.ts";
import { sessionFolder } from "../../pkg/session/session-folder.ts";
import { isAlive, startTimeOf } from "../../pkg/system/process-identity.ts";
import { signalIfAlive } from "../../pkg/system/testing/signal-if-alive.ts";
import { bosunCommand } from "../support/bosun-command.ts";
import { type Checkout, checkoutOf } from "./checkout.ts";
import { countedScenarios } from "./effects.ts";
import { processesOf } from "./processes.ts";

export interface PreparedDemo extends Demo {
  workspace: WorkspaceFolder;
  /** The person's branch and files, before anything ran. */
  before: Checkout;
  /** Where each command of a session leaves a line; undefined where a sandbox keeps it from that. */
  effects: string | undefined;
  /** How often each session's host was struck. */
  struck: Map<string, number>;
}

/**
 * When something happens to a run: by what has been done since its start, so that it is in the middle of the same work on a slow
 * machine as on a fast one.
 */
export interface Moment {
  /** The ledger has so many lines more. */
  afterLines: number;
  /** And then so much time has passed, in milliseconds. */
  afterMs: number;
}

/** What happens to one run of the operator. Nothing: it runs to the end of all work. */
export interface Fate {
  /** When it is killed. */
  kill?: Moment;
  /** What dies with it: all that runs for the demo, as in a power cut, all but its gateway, or its gateway alone. */
  takes?: "Everything" | "AllButGateway" | "Gateway";
  /** What dies while it lives: a session's host, the gateway, or everything by an emergency stop, after which a person resumes. */
  blows?: readonly (Moment & { whom: "Host" | "Gateway" | "All" })[];
  /** It kills itself there. Where that is in the gateway it is the gateway, and then it too is killed unless spared. */
  failpoint?: { name: Failpoint; hit?: number; spareOperator?: boolean };
}

export interface Run {
  fate: Fate;
  /** `Killed` by the harness or at the failpoint; `Ended` when all work had come to an end before. */
  end: "Killed" | "Ended";
  /** Its failpoint, if it had one, was passed. */
  hasHit: boolean;
  seconds: number;
}

/** These are passed in the gateway's process, the others in the operator's. */
const inGateway: readonly Failpoint[] = ["request-reserved", "request-sent", "request-settled"];
/** A run whose ledger has not grown for so long never comes to its end, in milliseconds; its Budget bounds how long it can grow. */
const stillLimitMs = 400_000;
const lookPeriodMs = 20;

/**
 * A scratch repository in a new temporary folder, with work in its checkout that no commit holds.
 *
 * @param options.sandbox - what its Workspace says; Off counts what tool calls do
 * @param options.bosun - the command, a file for Node
 */
export function prepareDemo({
  sandbox = "Required",
  bosun = bosunCommand(),
}: {
  sandbox?: string;
  bosun?: string;
} = {}): PreparedDemo {
  const demo = demoIn(mkdtempSync(path.join(tmpdir(), "bosun-e2e-")), bosun);
  prepare(demo);
  const workspaceFile = path.join(demo.repository, ".claude-sessions", "workspace.yaml");
  const declared = readFileSync(workspaceFile, "utf8");
  writeFileSync(workspaceFile, declared.replace("\n  mode:", `\n  sandbox: "${sandbox}"\n  mode:`));
  writeFileSync(path.join(demo.repository, "README.md"), "Half a thought of a person\r\n", { flag: "a" });
  writeFileSync(path.join(demo.repository, "notes.txt"), "not for git\n");
  const known = {
    workspace: workspaceFolder(demo.repository),
    before: checkoutOf(demo.repository),
    struck: new Map(),
  };
  if (sandbox === "Required") return { ...demo, ...known, effects: undefined };
  const effects = path.join(demo.folder, "effects.txt");
  const scenarios = path.join(demo.folder, "scenarios");
  countedScenarios(demo.operator.at(-1) ?? "", scenarios, effects);
  return { ...demo, ...known, effects, operator: [...demo.operator.slice(0, -1), scenarios] };
}

/**
 * Runs the operator once for each of `fates`, in this order, always by the same command, and after the last one
 * once more without any, to the end of all work. When that end comes before, the fates that are left do not happen.
 *
 * @throws Error when a run ends by itself in any way but well, or not at all; it says where the logs are
 */
export async function runDemo(demo: PreparedDemo, fates: readonly Fate[] = []): Promise<readonly Run[]> {
  const runs: Run[] = [];
  try {
    for (const fate of [...fates, {}]) {
      const run = await runOnce(demo, fate, runs.length + 1);
      runs.push(run);
      if (run.end === "Ended") return runs;
    }
    throw new Error(`${demo.folder}: the last run was killed by nobody we know.`);
  } catch (error) {
    await endProcesses(demo);
    throw error;
  }
}

/** Takes everything away: processes that should not be there any more, and the folder. */
export async function removeDemo(demo: PreparedDemo): Promise<void> {
  await endProcesses(demo);
  rmSync(demo.folder, { recursive: true, force: true });
}

async function runOnce(demo: PreparedDemo, fate: Fate, number: number): Promise<Run> {
  const { failpoint } = fate;
  const logFile = path.join(demo.folder, `operator-${number}.log`);
  const startMs = performance.now();
  const isDue = momentsFrom(demo);
  const isStill = stillnessOf(demo);
  let hasStood = false;
  // Only a gateway that this run starts takes the failpoint over.
  if (failpoint !== undefined && inGateway.includes(failpoint.name)) await killGateway(demo);
  const hitsBefore = gatewayHits(demo, failpoint?.name);

  const operator = startOperator(demo, failpoint, logFile);
  const exited = once(operator, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const over = new AbortController();
  const killed = killWhenDue().catch((error: unknown) => {
    operator.kill("SIGKILL");
    throw error;
  });
  exited.then(() => over.abort());
  const [[code, signal]] = await Promise.all([exited, killed]);

  const seconds = (performance.now() - startMs) / 1000;
  const hasHit = logHits(logFile, failpoint?.name) + gatewayHits(demo, failpoint?.name) > hitsBefore;
  if (signal === "SIGKILL" && !hasStood) return { fate, end: "Killed", hasHit, seconds };
  if (code === 0) return { fate, end: "Ended", hasHit, seconds };
  const why =
    signal === "SIGKILL" ? `stood still for ${stillLimitMs / 1000} s` : `ended with ${signal ?? code}`;
  const last = readFileSync(logFile, "utf8").split("\n").slice(-25).join("\n");
  throw new Error(`Run ${number} of the operator ${why}. Its output, in ${logFile}, ends:\n${last}`);

  async function killWhenDue(): Promise<void> {
    const { kill, blows = [] } = fate;
    const left = new Set(blows);
    while (!over.signal.aborted) {
      hasStood = isStill();
      if (hasStood) break;
      for (const blow of [...left].filter(isDue)) {
        left.delete(blow);
        await strike(demo, blow.whom);
      }
      if (kill !== undefined && isDue(kill)) break;
      if (!failpoint?.spareOperator && gatewayHits(demo, failpoint?.name) > hitsBefore) break;
      await sleep(lookPeriodMs, undefined, { signal: over.signal }).catch(() => undefined); // It has exited.
    }
    operator.kill("SIGKILL");
    if (fate.takes === "Everything") await endProcesses(demo);
    if (fate.takes === "AllButGateway") await endProcesses(demo, await gatewayOf(demo));
    if (fate.takes === "Gateway") await killGateway(demo);
  }
}

/** Tells of moments of a run that begins now whether they have come. */
function momentsFrom(demo: PreparedDemo): (moment: Moment) => boolean {
  const linesBefore = countLines(demo);
  const reachedMs = new Map<Moment, number>();
  return (moment) => {
    if (!reachedMs.has(moment) && countLines(demo) - linesBefore >= moment.afterLines)
      reachedMs.set(moment, performance.now());
    return performance.now() - (reachedMs.get(moment) ?? Number.POSITIVE_INFINITY) >= moment.afterMs;
  };
}

/** Tells of a run that begins now whether it stands still. */
function stillnessOf(demo: PreparedDemo): () => boolean {
  let lines = countLines(demo);
  let sinceMs = performance.now();
  return () => {
    const now = countLines(demo);
    if (now !== lines) sinceMs = performance.now();
    lines = now;
    return performance.now() - sinceMs >= stillLimitMs;
  };
}

/** How much the demo has paid for, in lines of its ledger. */
function countLines({ workspace }: PreparedDemo): number {
  const ledger = path.join(workspace.operator, "rehearsal-ledger", "ledger.jsonl");
  return existsSync(ledger) ? readFileSync(ledger, "utf8").split("\n").length - 1 : 0;
}

/** A session that ends badly three times in a row waits for a person, as it must: no host is struck so often. */
const strikesMax = 2;

/** A blow that finds no host, or no gateway, comes to nothing. */
async function strike(demo: PreparedDemo, whom: "Host" | "Gateway" | "All"): Promise<void> {
  if (whom === "Gateway") return killGateway(demo);
  // Before there was a gateway nothing ran that could be stopped.
  if (whom === "All") return existsSync(demo.workspace.gateway) ? stopAndResume(demo) : undefined;
  const { sessions } = demo.workspace;
  for (const id of existsSync(sessions) ? readdirSync(sessions) : []) {
    const strikes = demo.struck.get(id) ?? 0;
    if (strikes >= strikesMax) continue;
    const host = sessionFolder(sessions, id).readHost();
    if (host?.state !== "running" || !(await isAlive(host.outermost))) continue;
    demo.struck.set(id, strikes + 1);
    signalIfAlive(host.outermost.pid, "SIGKILL");
    return;
  }
}

/** @throws Error when one of the commands fails, or a session outlives the stop */
async function stopAndResume({ bosun, repository, env, workspace }: PreparedDemo): Promise<void> {
  const command = (...args: string[]) =>
    promisify(execFile)(process.execPath, [bosun, ...args], {
      cwd: repository,
      env: { ...process.env, ...env },
    });
  await command("stop", "--emergency");
  const left = (await processesOf(workspace.sessions)).map(({ pid, command: line }) => `${pid} ${line}`);
  if (left.length > 0) throw new Error(`The emergency stop has left:\n${left.join("\n")}`);
  await command("resume");
}

function startOperator(demo: PreparedDemo, failpoint: Fate["failpoint"], logFile: string): ChildProcess {
  const { BOSUN_FAILPOINT: _, ...env } = process.env;
  const log = openSync(logFile, "w");
  const setting = failpoint && `${failpoint.name}:${failpoint.hit ?? 1}`;
  const operator = spawn(process.execPath, demo.operator, {
    cwd: demo.repository,
    env: { ...env, ...demo.env, ...(setting === undefined ? {} : { BOSUN_FAILPOINT: setting }) },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return operator;
}

/** How often a gateway of this demo has killed itself at `name`. */
function gatewayHits({ workspace }: PreparedDemo, name: Failpoint | undefined): number {
  return logHits(path.join(workspace.operator, "rehearsal-ledger", "gateway.log"), name);
}

function logHits(log: string, name: Failpoint | undefined): number {
  if (name === undefined || !existsSync(log)) return 0;
  return readFileSync(log, "utf8").split(`Failpoint ${name}:`).length - 1;
}

async function killGateway(demo: PreparedDemo): Promise<void> {
  const pid = await gatewayOf(demo);
  if (pid !== undefined) signalIfAlive(pid, "SIGKILL");
}

/** The pid of the gateway that lives. */
async function gatewayOf({ workspace }: PreparedDemo): Promise<number | undefined> {
  const record = path.join(workspace.gateway, "gateway.json");
  if (!existsSync(record)) return undefined;
  const { pid, startTime } = JSON.parse(readFileSync(record, "utf8")) as { pid: number; startTime: string };
  return (await startTimeOf(pid)) === startTime ? pid : undefined;
}

/** Kills whatever runs for the demo, one process spared, until a look finds nothing. */
async function endProcesses({ folder }: PreparedDemo, spared?: number): Promise<void> {
  for (;;) {
    const left = (await processesOf(folder)).filter(({ pid }) => pid !== spared);
    if (left.length === 0) return;
    for (const { pid } of left) signalIfAlive(pid, "SIGKILL");
    await sleep(lookPeriodMs);
  }
}
