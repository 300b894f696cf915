/**
 * The rehearsal upstream as a process. Prints one JSON line, `{"url": "…"}`, once it listens; exits 0 when stdin
 * closes, so that it never outlives the one who started it.
 *
 *     node pkg/rehearsal/main.ts [--listen HOST:PORT] [--scenarios DIR]... [--log FILE] [--pace FACTOR]
 */
import { parseArgs } from "node:util";
import { keepCompiled } from "../system/compile-cache.ts";
import { compileLate } from "../system/compile-late.ts";
import { giveMemoryBackAtRest } from "../system/memory-at-rest.ts";
import { ScenarioError } from "./load-scenarios.ts";
import { startRehearsal } from "./rehearsal.ts";

compileLate();
const { values } = parseArgs({
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    scenarios: { type: "string", multiple: true, default: [] },
    log: { type: "string" },
    pace: { type: "string", default: "1" },
  },
});

const pace = Number(values.pace);
if (!(pace >= 0)) throw new RangeError(`--pace must be a number of 0 or more, not ${values.pace}.`);
try {
  const { log, ...options } = values;
  const rehearsal = await startRehearsal({ ...options, pace, ...(log === undefined ? {} : { log }) });
  console.log(JSON.stringify({ url: rehearsal.url }));
  keepCompiled();
  giveMemoryBackAtRest();
  process.stdin.resume();
  process.stdin.on("close", () => process.exit(0));
} catch (error) {
  console.error(error instanceof ScenarioError ? error.message : error);
  process.exit(1);
}
