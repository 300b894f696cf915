/**
 * The rehearsal upstream as a process. Prints one JSON line, `{"url": "…"}`, once it listens; exits 0 when stdin
 * closes, so that it never outlives the one who started it.
 *
 *     node pkg/rehearsal/main.ts [--listen HOST:PORT] [--scenarios DIR]... [--log FILE]
 */
import { parseArgs } from "node:util";
import { ScenarioError } from "./load-scenarios.ts";
import { startRehearsal } from "./rehearsal.ts";

const { values } = parseArgs({
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    scenarios: { type: "string", multiple: true, default: [] },
    log: { type: "string" },
  },
});

try {
  const { log, ...options } = values;
  const rehearsal = await startRehearsal({ ...options, ...(log === undefined ? {} : { log }) });
  console.log(JSON.stringify({ url: rehearsal.url }));
  process.stdin.resume();
  process.stdin.on("close", () => process.exit(0));
} catch (error) {
  console.error(error instanceof ScenarioError ? error.message : error);
  process.exit(1);
}
