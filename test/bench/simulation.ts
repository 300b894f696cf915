/**
 * What a virtual day of ten agents costs: `npm run bench:simulation [-- --seeds 20 --hours 24 --from 1]`.
 *
 * The seeds of the simulation, people, faults, crashes and all, one after the other in one process. Printed are virtual
 * days per second of this process's CPU time, all of its threads counted, and per second of the clock on the wall. The
 * first seed, which finds nothing compiled, is not counted.
 */
import { parseArgs } from "node:util";
import { simulate } from "../simulation/simulate.ts";

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
await simulate({ seed: from + seeds, hours });

let days = 0;
let steps = 0;
const wall = performance.now();
const cpu = process.cpuUsage();
for (let seed = from; seed < from + seeds; seed += 1) {
  const outcome = await simulate({ seed, hours });
  days += outcome.hours / 24;
  steps += outcome.steps;
}
const { user, system } = process.cpuUsage(cpu);
const cpuSeconds = (user + system) / 1e6;
const wallSeconds = (performance.now() - wall) / 1000;
console.log(
  `${days.toFixed(1)} virtual days of ten agents, ${Math.round(steps / days)} steps a day: ` +
    `${(days / cpuSeconds).toFixed(2)} days a second of CPU (${(cpuSeconds / days).toFixed(2)} s a day), ` +
    `${(days / wallSeconds).toFixed(2)} a second of time`,
);
