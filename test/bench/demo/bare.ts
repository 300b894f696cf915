/**
 * The demo's work without Bosun: the git and check commands alone, as a script would run them, with as many authors,
 * reviewers and checks at once. Reads its plan from stdin, works in the current folder, prints what took how long.
 *
 *     node test/bench/demo/bare.ts REPOSITORY < plan.json
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { Places } from "../../../pkg/quality/places.ts";
import { commandEnvironment } from "../../../pkg/sandbox/environment.ts";
import type { Call, Recorded, RecordedProject } from "./recorded.ts";

/** Milliseconds, summed over all projects; several go on at once. */
export interface BareTimes {
  wall: number;
  checkouts: number;
  tools: number;
  collecting: number;
  /** From the work being there to its checks being known, waiting for a place included. */
  checks: number;
  waitingForReviewer: number;
  merges: number;
  /** How often the check commands ran. */
  checksRun: number;
}

const run = promisify(execFile);
const repository = path.resolve(process.argv[2] ?? "");
const plan = JSON.parse(await text(process.stdin)) as Recorded;
const folder = process.cwd();
const target = "refs/heads/rehearsal/main";
const env = commandEnvironment({ CI: "true" }, path.join(folder, "home"));
const person = ["-c", "user.name=Bare", "-c", "user.email=bare@localhost"];
const reviewers = new Places(plan.reviewers);
// As many as Bosun takes by itself.
const checkPlaces = new Places(Math.max(1, Math.floor(availableParallelism() / 2)));
const mergeQueue = new Places(1);
const known = new Map<string, Promise<void>>();
const times: BareTimes = {
  wall: 0,
  checkouts: 0,
  tools: 0,
  collecting: 0,
  checks: 0,
  waitingForReviewer: 0,
  merges: 0,
  checksRun: 0,
};

await mkdir(path.join(folder, "home"), { recursive: true });
await git("update-ref", target, "refs/heads/main");
const waiting = [...plan.projects];
const startMs = performance.now();
const baseline = check(await git("rev-parse", target));
await Promise.all(Array.from({ length: plan.authors }, author));
await baseline;
times.wall = performance.now() - startMs;
console.log(JSON.stringify(times));

/** Takes one project after the other, and keeps each until it is merged or given up. */
async function author(): Promise<void> {
  for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) await work(project);
}

async function work({ name, runs, reviews, merged }: RecordedProject): Promise<void> {
  const checkout = path.join(folder, name);
  const branch = `bare/${name}`;
  const base = await git("rev-parse", target);
  await timed("checkouts", () => checkOut(checkout, base, ["-b", branch]));
  for (const [index, calls] of runs.entries()) {
    await timed("tools", () => callAll(calls, checkout));
    await timed("collecting", () => collect(checkout, branch, base));
    const head = await git("rev-parse", branch);
    await timed("checks", () => check(head));
    await review(`${checkout}.review`, head, reviews[index] ?? []);
  }
  if (merged) await timed("merges", () => mergeQueue.hold(() => merge(branch)));
  await rm(checkout, { recursive: true });
}

async function checkOut(to: string, commit: string, how: readonly string[]): Promise<void> {
  await git("clone", "--quiet", "--shared", "--no-tags", "--no-checkout", ...person, repository, to);
  await run("git", ["-C", to, "checkout", "--quiet", ...how, commit]);
}

async function callAll(calls: readonly Call[], cwd: string): Promise<void> {
  for (const call of calls) {
    if (call.tool === "bash") await run("bash", ["-c", call.command], { cwd, env }).catch(failedAsRecorded);
    else if (call.tool === "read_file") await readFile(path.join(cwd, call.path));
    else if (call.tool === "edit_file") {
      const file = path.join(cwd, call.path);
      const before = await readFile(file, "utf8");
      await writeFile(
        file,
        before.replace(call.old_text, () => call.new_text),
      );
    } else {
      await mkdir(path.dirname(path.join(cwd, call.path)), { recursive: true });
      await writeFile(path.join(cwd, call.path), call.content);
    }
  }
}

/** A command may fail: it did so in the demo too. One that could not be started did not. */
function failedAsRecorded(error: { code?: unknown }): void {
  if (typeof error.code !== "number") throw error;
}

/** Brings the branch in, and reads of it what is looked at for secrets and protected paths. */
async function collect(checkout: string, branch: string, base: string): Promise<void> {
  await git("fetch", "--quiet", "--no-tags", checkout, `+${branch}:${branch}`);
  await git("log", "-z", "--raw", "-r", "-p", "--no-renames", "--format=%H%n%B", `${base}..${branch}`);
}

/** Runs the check commands on a clean checkout, once for each tree. */
async function check(commit: string): Promise<void> {
  const tree = await git("rev-parse", `${commit}^{tree}`);
  const before = known.get(tree);
  if (before !== undefined) return before;
  const checking = checkPlaces.hold(async () => {
    times.checksRun += 1;
    const clean = path.join(folder, `check-${tree}`);
    await checkOut(clean, commit, ["--detach"]);
    for (const command of plan.commands)
      await run("bash", ["-c", command], { cwd: clean, env }).catch(failedAsRecorded);
    await rm(clean, { recursive: true });
  });
  known.set(tree, checking);
  return checking;
}

async function review(checkout: string, head: string, calls: readonly Call[]): Promise<void> {
  const asked = performance.now();
  await reviewers.hold(async () => {
    times.waitingForReviewer += performance.now() - asked;
    await timed("checkouts", () => checkOut(checkout, head, ["--detach"]));
    await git("diff", `${target}...${head}`);
    await timed("tools", () => callAll(calls, checkout));
    await rm(checkout, { recursive: true });
  });
}

async function merge(branch: string): Promise<void> {
  const before = await git("rev-parse", target);
  const tree = await git("merge-tree", "--write-tree", before, branch);
  const merged = ["commit-tree", tree, "-p", before, "-p", branch, "-m", `Merge ${branch}`];
  const commit = await git(...person, ...merged);
  await check(commit);
  await git("update-ref", target, commit, before);
}

async function timed<T>(what: keyof BareTimes, work: () => Promise<T>): Promise<T> {
  const begunMs = performance.now();
  try {
    return await work();
  } finally {
    times[what] += performance.now() - begunMs;
  }
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", repository, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
