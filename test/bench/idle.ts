/**
 * What a resting operator with ten agents costs: resident memory and processor time of all its processes but sessions,
 * of which there are none. The aim: under 150 MB and under 1 % of a core.
 *
 *     npm run bench:idle
 *     npm run bench:idle -- --minutes 10 --projects 200 --rehearse
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startTestUpstream } from "../../pkg/gateway/testing/upstream.ts";
import { scratchWorkspace, type Upstream } from "./workspace/operator.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    projects: { type: "string", default: "20" },
    /** The played model is then one of its processes; else it speaks to one in this process. */
    rehearse: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
/** What comes once after a start (checks of the target, first looks) is not rest. */
const settleMs = 30_000;
/** Ticks a second of the times in /proc/PID/stat: always 100 to programs, whatever the kernel counts in. */
const ticksPerSecond = 100;

await using upstream = await startTestUpstream();
await using workspace = scratchWorkspace({ projects: Number(values.projects) });
const how: Upstream = values.rehearse ? { is: "rehearsal" } : { is: "real", url: upstream.url };
// A first start compiles code and makes certificates, which no later one does.
await (await workspace.start(how)).stop();
const operator = await workspace.start(how);
await sleep(settleMs);
const before = look();
const startMs = performance.now();
await sleep(minutes * 60_000);
const seconds = (performance.now() - startMs) / 1000;
const after = look();

console.log(`${minutes} minutes, 10 agents with nothing to do, ${values.projects} Projects that are skipped`);
console.log("process          resident    share of it     a core");
const sum = { residentMB: 0, proportionalMB: 0, percent: 0 };
for (const [name, now] of Object.entries(after)) {
  const percent = ((now.cpuSeconds - (before[name]?.cpuSeconds ?? 0)) / seconds) * 100;
  row(name, { ...now, percent });
  sum.residentMB += now.residentMB;
  sum.proportionalMB += now.proportionalMB;
  sum.percent += percent;
}
row("all", sum);
console.log(
  "Resident counts pages that processes share in each of them; the share of it (PSS) counts them once.",
);
await operator.stop();

interface Seen {
  residentMB: number;
  proportionalMB: number;
  cpuSeconds: number;
}

function look(): Record<string, Seen> {
  return Object.fromEntries(
    Object.entries(operator.pids).map(([name, pid]) => {
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
      const megabytes = (field: string): number =>
        Number(new RegExp(`^${field}: +(\\d+) kB`, "m").exec(memory)?.[1]) / 1024;
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
      return [name, { residentMB: megabytes("Rss"), proportionalMB: megabytes("Pss"), cpuSeconds }];
    }),
  );
}

function row(
  name: string,
  { residentMB, proportionalMB, percent }: Omit<Seen, "cpuSeconds"> & { percent: number },
): void {
  const cells = [`${residentMB.toFixed(1)} MB`, `${proportionalMB.toFixed(1)} MB`, `${percent.toFixed(2)} %`];
  console.log(`${name.padEnd(12)} ${cells.map((cell) => cell.padStart(12)).join(" ")}`);
}
