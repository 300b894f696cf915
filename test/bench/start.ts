/**
 * How long `bosun get projects` takes, from its start to its end, beside a running operator and without one, and how
 * long Node alone takes to start. The aim: under 300 ms.
 *
 *     npm run bench:start
 *     npm run bench:start -- --runs 100
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import {
  createAll,
  openRegistry,
  startOperator,
  temporaryWorkspace,
} from "../../cmd/bosun/testing/operator.ts";
import { openLog } from "../../pkg/storage/log/log.ts";
import { nodeFileSystem } from "../../pkg/storage/node-file-system.ts";
import { quantile } from "../support/quantile.ts";

const bosun = path.resolve(import.meta.dirname, "../../bin/bosun.mjs");
const { values } = parseArgs({ options: { runs: { type: "string", default: "30" } } });
const runs = Number(values.runs);
const projects = Array.from(
  { length: 40 },
  (_, index) =>
    `{ apiVersion: bosun.dev/v1alpha1, kind: Project, metadata: { name: p-${index} }, spec: { title: A } }`,
).join("\n---\n");

await using operator = await startOperator(projects);
await measure("node alone", ["-e", "0"], operator.folder.repository);
await measure(
  "bosun get projects, beside an operator",
  [bosun, "get", "projects"],
  operator.folder.repository,
);

const stopped = temporaryWorkspace();
const log = openLog({ directory: stopped.log, fs: nodeFileSystem });
await createAll(await openRegistry(log), projects);
await log.close();
await measure("bosun get projects, last known state", [bosun, "get", "projects"], stopped.repository);
rmSync(stopped.repository, { recursive: true });

/** Prints the middle and the slowest of twenty. */
async function measure(what: string, args: readonly string[], cwd: string): Promise<void> {
  const takenMs: number[] = [];
  // The first one fills the cache of compiled code, as it does for a person.
  for (let run = 0; run <= runs; run += 1) {
    const startMs = performance.now();
    const child = spawn(process.execPath, args, { cwd, stdio: "ignore" });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}.`);
    if (run > 0) takenMs.push(performance.now() - startMs);
  }
  const at = (share: number) => quantile(takenMs, share).toFixed(0);
  console.log(`${what.padEnd(42)} p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`);
}
