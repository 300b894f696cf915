/**
 * What the gateway adds to a request and takes from a stream, against a direct call to the same upstream, in turns in
 * one run. The gateway is the real one: a process of its own with a ledger that is synced to disk before a request is
 * sent and before its end is seen. What a sync of this disk costs is measured beside it: no gateway that keeps its
 * promise can be faster than its two or three syncs.
 *
 *     npm run bench:gateway
 *     npm run bench:gateway -- --quick          a tenth of the work
 *     npm run bench:gateway -- --folder DIR     where the ledger lies: another disk
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { openGateway } from "../../pkg/gateway/money-client.ts";
import { whenInterrupted } from "../support/interrupted.ts";
import { quantile } from "../support/quantile.ts";
import {
  type Answered,
  type Asked,
  type Caller,
  overHttp,
  type Target,
  throughSdk,
} from "./gateway/callers.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, folder: { type: "string", default: tmpdir() } },
});
const share = values.quick ? 10 : 1;
/** Characters for which an API counts about 150,000 tokens. */
const longPrompt = 540_000;
const folder = mkdtempSync(path.join(values.folder, "bosun-bench-"));

const upstream = spawn(process.execPath, [path.join(import.meta.dirname, "gateway/upstream.ts")], {
  stdio: ["pipe", "pipe", "inherit"],
});
const [port] = (await once(createInterface(upstream.stdout), "line")) as [string];
const direct: Target = { url: `http://127.0.0.1:${port}`, token: "bench" };
const gateway = await openGateway({
  ledgerDirectory: path.join(folder, "ledger"),
  stateDirectory: path.join(folder, "state"),
  socketPath: path.join(folder, "gateway.sock"),
  upstream: { baseUrl: direct.url, credential: { apiKey: "bench" } },
  admitted: [],
});
const end = async (): Promise<void> => {
  await gateway.stop();
  upstream.stdin.end();
  rmSync(folder, { recursive: true });
};
whenInterrupted(end);
await gateway.setBudgets([
  { name: "all", uid: "bench", daily: { usd: 1_000_000 }, timeZone: "UTC", selector: {} },
]);
const through: Target = await gateway.admit({
  session: "bench",
  run: 1,
  agent: "agent-1",
  pool: "crew",
  project: "bench",
  purpose: "execute",
  maxOutputTokens: 1_000_000,
  labels: {},
});

syncs(500 / share);
console.log(
  `\n${"latency, ms".padEnd(46)} ${["direct p50", "p99", "gateway p50", "p99", "added p50"].map((head) => head.padStart(11)).join("")}`,
);
await latency("small, whole answer, HTTP", overHttp, { promptCharacters: 2_000 }, 300 / share);
await latency("small, streamed, HTTP", overHttp, { promptCharacters: 2_000, deltas: 20 }, 300 / share);
await latency("small, streamed, SDK", throughSdk, { promptCharacters: 2_000, deltas: 20 }, 200 / share);
await latency(
  "150k tokens, streamed, HTTP",
  overHttp,
  { promptCharacters: longPrompt, deltas: 20 },
  50 / share,
);
await latency(
  "150k tokens, streamed, SDK",
  throughSdk,
  { promptCharacters: longPrompt, deltas: 20 },
  50 / share,
);
console.log(
  `\n${"throughput".padEnd(46)} ${["direct", "gateway", "share"].map((head) => head.padStart(28)).join("")}`,
);
await throughput("1 stream, HTTP", overHttp, 1);
await throughput("10 streams, HTTP", overHttp, 10);
await throughput("1 stream, SDK", throughSdk, 1);
await throughput("10 streams, SDK", throughSdk, 10);

await end();

/** The disk alone: what the ledger does for one line. */
function syncs(count: number): void {
  const file = openSync(path.join(folder, "syncs"), "a");
  const takenMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startMs = performance.now();
    writeSync(file, `${"x".repeat(300)}\n`);
    fdatasyncSync(file);
    takenMs.push(performance.now() - startMs);
  }
  closeSync(file);
  console.log(`one line written and synced here: p50 ${at(takenMs, 0.5)} ms, p99 ${at(takenMs, 0.99)} ms`);
}

async function latency(what: string, ask: Caller, asked: Asked, runs: number): Promise<void> {
  const [own, other]: [Answered[], Answered[]] = [[], []];
  for (let run = -3; run < runs; run += 1) {
    const answered = [await ask(direct, asked), await ask(through, asked)] as const;
    // The first ones open connections and compile code.
    if (run < 0) continue;
    other.push(answered[0]);
    own.push(answered[1]);
  }
  for (const [moment, of] of [
    ["first byte", (answered: Answered) => answered.firstMs],
    ["whole", (answered: Answered) => answered.wholeMs],
  ] as const) {
    if (moment === "first byte" && asked.deltas === undefined) continue;
    const [theirs, ours] = [other.map(of), own.map(of)];
    const added = (median(ours) - median(theirs)).toFixed(2);
    const cells = [at(theirs, 0.5), at(theirs, 0.99), at(ours, 0.5), at(ours, 0.99), added];
    console.log(`${`${what}, ${moment}`.padEnd(46)} ${cells.map((cell) => cell.padStart(11)).join("")}`);
  }
}

async function throughput(what: string, ask: Caller, streams: number): Promise<void> {
  const deltas = 60_000 / share / streams;
  const rates: [number[], number[]] = [[], []];
  let bytesPerEvent = 0;
  for (let round = 0; round < 5; round += 1) {
    for (const [index, target] of [direct, through].entries()) {
      const startMs = performance.now();
      const answers = await Promise.all(
        Array.from({ length: streams }, () => ask(target, { promptCharacters: 2_000, deltas })),
      );
      const seconds = (performance.now() - startMs) / 1000;
      const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
      if (bytes > 0) bytesPerEvent = bytes / (deltas * streams);
      rates[index]?.push((deltas * streams) / seconds);
    }
  }
  const [theirs, ours] = [median(rates[0]), median(rates[1])];
  const cells = [theirs, ours].map((rate) => {
    const megabytes = bytesPerEvent === 0 ? "" : `, ${((rate * bytesPerEvent) / 1e6).toFixed(1)} MB/s`;
    return `${(rate / 1000).toFixed(0)}k events/s${megabytes}`;
  });
  console.log(
    `${what.padEnd(46)} ${[...cells, `${((ours / theirs) * 100).toFixed(0)} %`].map((cell) => cell.padStart(28)).join("")}`,
  );
}

function median(list: readonly number[]): number {
  return quantile(list, 0.5);
}

function at(list: readonly number[], part: number): string {
  return quantile(list, part).toFixed(2);
}
