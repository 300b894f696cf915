/**
 * Fuzzes the API server as a process, by mutations of the recorded conformance requests, and then what follows people's
 * files, by mutations of what `bosun init` writes: one edit for each hundred requests.
 *
 *     npm run fuzz:apiserver -- --requests 200000 --seed 7
 *
 * Looks for a crash, an answer that takes longer than a second, a 500, an answer that is no Kubernetes answer, a stack in
 * the log, and state that reads, validates or restarts differently. Prints each finding once with the first request that
 * showed it, writes the requests whole into a file, and exits with 1 when there is any.
 *
 *     npm run fuzz:apiserver -- --replay FILE     sends those requests again, one at a time, and tells what comes back
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { fuzzApiServer } from "./campaign.ts";
import type { Findings } from "./findings.ts";
import { fuzzPeopleFiles } from "./people-files.ts";
import { replay, requestLine } from "./replay.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "200000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    concurrency: { type: "string", default: "8" },
    replay: { type: "string" },
  },
});

if (values.replay !== undefined) await replay(values.replay, console.log);
else await fuzz();

async function fuzz(): Promise<void> {
  const startMs = performance.now();
  let told = 0;
  const tellNew = (findings: Findings): void => {
    for (const { kind, what, example } of findings.all().slice(told))
      console.log(`\n${kind}: ${what.slice(0, 600)}\n  ${example.slice(0, 1_500)}\n`);
    told = findings.count;
  };
  const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`seed ${values.seed}`);
  const { findings, ...numbers } = await fuzzApiServer({
    requests: Number(values.requests),
    seed: Number(values.seed),
    concurrency: Number(values.concurrency),
    onProgress: (sent, soFar) => {
      console.log(`${sent} requests, ${soFar.count} findings, ${seconds()} s`);
      tellNew(soFar);
    },
  });
  await fuzzPeopleFiles({ edits: Math.ceil(numbers.requests / 100), seed: numbers.seed, findings });
  tellNew(findings);
  console.log(`\n${JSON.stringify({ ...numbers, findings: findings.count, seconds: Number(seconds()) })}`);
  if (findings.count === 0) return;
  process.exitCode = 1;
  const file = path.join(mkdtempSync(path.join(tmpdir(), "bosun-findings-")), "requests.jsonl");
  writeFileSync(
    file,
    findings
      .all()
      .flatMap(({ requests }) => requests.map(requestLine))
      .join("\n"),
  );
  console.log(`Again: npm run fuzz:apiserver -- --replay ${file}`);
}
