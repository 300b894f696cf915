/**
 * What a virtual day of ten agents costs: `npm run bench:simulation [-- --seeds 20 --hours 24 --from 1]`.
 *
 * The seeds of the simulation, people, faults, crashes and all, one after the other in one process, with the options of
 * Node that the pool's processes have. Printed are virtual days per second of this process's CPU time, all of its threads
 * counted, the median over the seeds, and days per second of the clock on the wall. The first four seeds, one of each kind
 * of world, find nothing compiled and are not counted.
 */
import { parseArgs } from "node:util";
import { simulate } from "../simulation/simulate.ts";
import { quantile } from "../support/quantile.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    hours: { type: "string", default: "24" },
    from: { type: "string", default: "1" },
  },
});

const seeds = Number(values.seeds);
const hours = Number(values.hours);
const from = Number(values.from);
for (let seed = from + seeds; seed < from + seeds + 4; seed += 1) await simulate({ seed, hours });

let days = 0;
let steps = 0;
const secondsADay: number[] = [];
const wall = performance.now();
const cpu = process.cpuUsage();
for (let seed = from; seed < from + seeds; seed += 1) {
  const before = process.cpuUsage();
  const outcome = await simulate({ seed, hours });
  const used = process.cpuUsage(before);
  secondsADay.push((used.user + used.system) / 1e6 / (outcome.hours / 24));
  days += outcome.hours / 24;
  steps += outcome.steps;
}
const { user, system } = process.cpuUsage(cpu);
const cpuSeconds = (user + system) / 1e6;
const wallSeconds = (performance.now() - wall) / 1000;
const median = quantile(secondsADay, 0.5);
console.log(
  `${days.toFixed(1)} virtual days of ten agents, ${Math.round(steps / days)} steps a day: ` +
    `${(days / cpuSeconds).toFixed(2)} days a second of CPU (${(cpuSeconds / days).toFixed(2)} s a day, ` +
    `the median seed ${median.toFixed(2)}), ` +
    `${(days / wallSeconds).toFixed(2)} a second of time`,
);
