/**
 * What a resting operator with ten agents costs: resident memory and processor time of all its processes but sessions,
 * of which there are none. The aim: under 150 MB and under 1 % of a core.
 *
 *     npm run bench:idle
 *     npm run bench:idle -- --minutes 10 --projects 200 --rehearse
 *     npm run bench:idle -- --beside ../before      the operator of another checkout in the same minutes, for a ratio
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startTestUpstream } from "../../pkg/gateway/testing/upstream.ts";
import { whenInterrupted } from "../support/interrupted.ts";
import { type RunningOperator, scratchWorkspace, type Upstream } from "./workspace/operator.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    projects: { type: "string", default: "20" },
    /** The played model is then one of its processes; else it speaks to one in this process. */
    rehearse: { type: "boolean", default: false },
    beside: { type: "string" },
  },
});
const minutes = Number(values.minutes);
/** What comes once after a start (checks of the target, first looks) is not rest. */
const settleMs = 30_000;
/** Ticks a second of the times in /proc/PID/stat: always 100 to programs, whatever the kernel counts in. */
const ticksPerSecond = 100;

await using upstream = await startTestUpstream();
const how: Upstream = values.rehearse ? { is: "rehearsal" } : { is: "real", url: upstream.url };
await using sides = new AsyncDisposableStack();
whenInterrupted(() => sides.disposeAsync());
const operators = [await started(scratchWorkspace)];
if (values.beside !== undefined) {
  const other = path.resolve(values.beside, "test/bench/workspace/operator.ts");
  operators.push(await started((await import(other)).scratchWorkspace));
}
await sleep(settleMs);
const before = operators.map(look);
const startMs = performance.now();
await sleep(minutes * 60_000);
const seconds = (performance.now() - startMs) / 1000;
const after = operators.map(look);

console.log(`${minutes} minutes, 10 agents with nothing to do, ${values.projects} Projects that are skipped`);
const percents = after.map((now, side) => {
  console.log(side === 0 ? "" : `\nbeside it: ${values.beside}`);
  return show(before[side] ?? {}, now, seconds);
});
const [here = 0, other] = percents;
if (other !== undefined) console.log(`\nOf a core it takes ${(here / other).toFixed(2)} times as much.`);

/** A first start compiles code and makes certificates, which no later one does: it is the second that rests. */
async function started(scratch: typeof scratchWorkspace): Promise<RunningOperator> {
  const workspace = sides.use(scratch({ projects: Number(values.projects) }));
  await (await workspace.start(how)).stop();
  const operator = await workspace.start(how);
  sides.defer(() => operator.stop());
  return operator;
}

interface Seen {
  residentMB: number;
  /** Of no file: what this process alone takes. */
  ownMB: number;
  cpuSeconds: number;
}

/** @returns how much of a core all took, in per cent */
function show(
  earlier: Readonly<Record<string, Seen>>,
  later: Readonly<Record<string, Seen>>,
  passedSeconds: number,
): number {
  console.log("                             resident     its own       a core");
  let percentOfAll = 0;
  for (const [name, now] of Object.entries(later)) {
    const percent = ((now.cpuSeconds - (earlier[name]?.cpuSeconds ?? 0)) / passedSeconds) * 100;
    percentOfAll += percent;
    row(name, [megabytes(now.residentMB), megabytes(now.ownMB), `${percent.toFixed(2)} %`]);
  }
  const seen = Object.values(later);
  const residentMB = seen.reduce((sum, now) => sum + now.residentMB, 0);
  const ownMB = seen.reduce((sum, now) => sum + now.ownMB, 0);
  row("all", [megabytes(residentMB), megabytes(ownMB), `${percentOfAll.toFixed(2)} %`]);
  // What is not a process's own is Node's binary and libraries, the same pages for all of them.
  const sharedMB = Math.max(...seen.map((now) => now.residentMB - now.ownMB));
  row("all, shared pages once", [megabytes(ownMB + sharedMB)]);
  return percentOfAll;
}

function look(operator: RunningOperator): Record<string, Seen> {
  return Object.fromEntries(
    Object.entries(operator.pids).map(([name, pid]) => {
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
      const inMB = (field: string): number =>
        Number(new RegExp(`^${field}: +(\\d+) kB`, "m").exec(memory)?.[1]) / 1024;
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
      return [name, { residentMB: inMB("Rss"), ownMB: inMB("Anonymous"), cpuSeconds }];
    }),
  );
}

function row(name: string, cells: readonly string[]): void {
  console.log(`${name.padEnd(24)} ${cells.map((cell) => cell.padStart(12)).join("")}`);
}

function megabytes(count: number): string {
  return `${count.toFixed(1)} MB`;
}
