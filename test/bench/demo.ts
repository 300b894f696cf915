/**
 * What Bosun adds to the work itself: the demo's projects with an upstream that answers at once, against the bare git
 * and check commands that they imply, run by a script with the same parallelism, in turns in one run on equal repositories.
 * The aim: at most 1.5 times as long, better 1.2. Bosun runs as it is installed: the package, built first.
 *
 *     npm run bench:demo
 *     npm run bench:demo -- --rounds 5     turns of each; the middle one counts
 *     npm run bench:demo -- --keep         leaves the folders, and the script's plan in plan.json
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { workspaceFolder } from "../../cmd/bosun/workspace-folder.ts";
import { type Demo, demoIn, prepare } from "../../hack/demo/prepare.ts";
import { signalIfAlive } from "../../pkg/system/testing/signal-if-alive.ts";
import { processesOf } from "../e2e/processes.ts";
import { builtPackage } from "../support/built-package.ts";
import { whenInterrupted } from "../support/interrupted.ts";
import type { BareTimes } from "./demo/bare.ts";
import { follow } from "./demo/milestones.ts";
import { type Phases, phasesOf } from "./demo/phases.ts";
import { type Recorded, recorded, sessionsOf } from "./demo/recorded.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, keep: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);

interface Measured {
  wallMs: number;
  /** Of the command and of everything it started and waited for, in seconds. */
  cpuSeconds: number;
  out: string;
}

interface BosunRun extends Measured {
  /** From the command's start until the operator ran, and from the last project's end until the command's. */
  startMs: number;
  endMs: number;
  phases: Phases;
  plan: Recorded;
}

const folder = mkdtempSync(path.join(tmpdir(), "bosun-bench-"));
whenInterrupted(async () => {
  for (const { pid } of await processesOf(folder)) signalIfAlive(pid, "SIGKILL");
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
});
const bosun = builtPackage();
const own: BosunRun[] = [];
const bare: (Measured & BareTimes)[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const ran = await runBosun(demoIn(path.join(folder, `bosun-${round}`), bosun));
  own.push(ran);
  bare.push(await runBare(demoIn(path.join(folder, `bare-${round}`)), ran.plan));
  const ratio = ran.wallMs / (bare.at(-1)?.wallMs ?? Number.NaN);
  console.log(
    `round ${round}: bosun ${seconds(ran.wallMs)} s, bare ${seconds(bare.at(-1)?.wallMs)} s, ratio ${ratio.toFixed(2)}`,
  );
}
report();
if (values.keep) console.log(`\nEverything is in ${folder}.`);
else rmSync(folder, { recursive: true });

async function runBosun(demo: Demo): Promise<BosunRun> {
  prepare(demo);
  const ending = new AbortController();
  const following = follow(workspaceFolder(demo.repository).socket, ending.signal);
  const startedMs = Date.now();
  const { lines, ...measured } = await measure(
    [process.execPath, ...demo.operator, "--pace", "0"],
    demo.repository,
    demo.env,
  );
  ending.abort();
  const seen = await following;
  const ran = lines.find(({ line }) => line.includes("The operator runs"))?.atMs ?? startedMs;
  const last = Math.max(...seen.values());
  return {
    ...measured,
    startMs: ran - startedMs,
    endMs: startedMs + measured.wallMs - last,
    phases: phasesOf(sessionsOf(demo), seen),
    plan: await recorded(demo),
  };
}

async function runBare(demo: Demo, plan: Recorded): Promise<Measured & BareTimes> {
  prepare(demo);
  const work = path.join(demo.folder, "work");
  mkdirSync(work);
  const file = path.join(demo.folder, "plan.json");
  writeFileSync(file, JSON.stringify(plan, undefined, 2));
  const script = path.join(import.meta.dirname, "demo/bare.ts");
  const { lines, ...measured } = await measure(
    ["sh", "-c", `exec "$1" "$2" "$3" < "$4"`, "sh", process.execPath, script, demo.repository, file],
    work,
    {},
  );
  return { ...measured, ...(JSON.parse(measured.out) as BareTimes) };
}

/** Runs a command, and has the shell say what it and all that it started took. */
async function measure(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Measured & { lines: readonly { line: string; atMs: number }[] }> {
  const timed = `TIMEFORMAT="%U %S"; time "$@" 2>&3`;
  const startMs = performance.now();
  const child = spawn("bash", ["-c", timed, "bash", ...command], {
    cwd,
    env: { ...process.env, ...env },
    // The shell writes its times to 2; what the command itself says there goes to ours.
    stdio: ["ignore", "pipe", "pipe", 2],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  const lines: { line: string; atMs: number }[] = [];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of chunk.split("\n")) if (line !== "") lines.push({ line, atMs: Date.now() });
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  const wallMs = performance.now() - startMs;
  if (code !== 0)
    throw new Error(`${command.join(" ")} ended with ${code}:\n${lines.map(({ line }) => line).join("\n")}`);
  const [user = Number.NaN, system = Number.NaN] = said.trim().split(" ").map(Number);
  return { wallMs, cpuSeconds: user + system, out: lines.at(-1)?.line ?? "", lines };
}

function report(): void {
  const bosunRun = middle(own, ({ wallMs }) => wallMs);
  const bareRun = middle(bare, ({ wallMs }) => wallMs);
  const { plan } = bosunRun;
  const runs = plan.projects.flatMap((project) => project.runs).length;
  const reviews = plan.projects.flatMap((project) => project.reviews).length;
  const merges = plan.projects.filter(({ merged }) => merged).length;
  console.log(
    `\n${plan.projects.length} projects, ${plan.authors} authors, ${plan.reviewers} reviewer: ${runs} runs, ${reviews} reviews, ${merges} merges; the check commands ran ${bareRun.checksRun} times in the script.`,
  );
  console.log(`\nthe middle of ${rounds} rounds              bosun       bare    ratio`);
  row("wall, the whole command, s", bosunRun.wallMs, bareRun.wallMs);
  row("wall, less its start and end, s", bosunRun.wallMs - bosunRun.startMs - bosunRun.endMs, bareRun.wall);
  row("processor, all processes, s", bosunRun.cpuSeconds * 1000, bareRun.cpuSeconds * 1000);
  console.log("\nwhere it goes, summed over all projects (several go on at once)");
  row("start", bosunRun.startMs);
  for (const [phase, { count, ms }] of bosunRun.phases)
    row(`${phase} (${count})`, ms, counterpart(phase, bareRun));
  row("end", bosunRun.endMs);
}

function counterpart(phase: string, bareRun: BareTimes): number | undefined {
  if (phase === "tool calls") return bareRun.tools;
  if (phase.startsWith("work is handed over")) return bareRun.collecting;
  if (phase.startsWith("checks")) return bareRun.checks;
  if (phase.startsWith("waits for a reviewer")) return bareRun.waitingForReviewer;
  if (phase.startsWith("merge")) return bareRun.merges;
  if (phase.startsWith("an author's session starts")) return bareRun.checkouts;
  return undefined;
}

function row(what: string, bosunMs: number, bareMs?: number): void {
  const cells = [seconds(bosunMs), bareMs === undefined ? "" : seconds(bareMs)];
  const ratio = bareMs === undefined || bareMs < 1 ? "" : (bosunMs / bareMs).toFixed(2);
  console.log(`${what.padEnd(56)} ${cells.map((cell) => cell.padStart(8)).join(" ")} ${ratio.padStart(6)}`);
}

function middle<T>(list: readonly T[], by: (item: T) => number): T {
  const item = [...list].sort((a, b) => by(a) - by(b))[Math.floor((list.length - 1) / 2)];
  if (item === undefined) throw new Error("Nothing was measured.");
  return item;
}

function seconds(ms: number | undefined): string {
  return ((ms ?? Number.NaN) / 1000).toFixed(2);
}
