/**
 * Clients write, read and watch over HTTPS while the server is killed at random moments: no acknowledged write is lost,
 * each object's history is linear, each watch ordered, unique and complete.
 *
 *     npm run soak:writes -- --kills 500 --seed 7
 */
import { randomInt } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { crdFile, probe, probes } from "../bench/apiserver/probe.ts";
import { type StoredObject, type Subject, startClients } from "./clients.ts";
import { violations } from "./history.ts";
import { apiServer } from "./servers.ts";

/** A life of the server lasts at most this long, in milliseconds; half of them are shorter than a fifth of it. */
const lifeMsMax = 800;

export interface SoakResult {
  readonly writes: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly reads: number;
  readonly events: number;
  /** Lists of watchers beyond the first: how often a watch could not be resumed. */
  readonly relists: number;
  readonly violations: readonly string[];
}

export async function soakWrites({ kills, seed }: { kills: number; seed: number }): Promise<SoakResult> {
  const random = uniform(seed);
  const server = await apiServer(path.dirname(crdFile));
  const names = Array.from({ length: 12 }, (_, index) => `probe-${index}`);
  const clients = startClients({ api: () => server.api, subject, names, writers: 8, watchers: 3, random });
  for (let killed = 0; killed < kills; killed += 1) {
    await sleep(lifeMsMax * random() ** 2);
    await server.kill();
  }
  await clients.end();
  await server.close();
  const { writes, reads, watchers } = clients.history;
  return {
    writes: writes.length,
    acknowledged: writes.filter(({ outcome }) => outcome.is === "acknowledged").length,
    unknown: writes.filter(({ outcome }) => outcome.is === "unknown").length,
    reads: reads.length,
    events: watchers.flat().filter(({ is }) => is === "event").length,
    relists: watchers.flat().filter(({ is }) => is === "list").length - watchers.length,
    violations: violations(clients.history),
  };
}

const subject: Subject = {
  path: probes,
  object: (name, token) => ({ ...probe(name), spec: { title: "A probe", description: token, tasks: [] } }),
  patch: (token) => ({ spec: { description: token } }),
  tokenOf: ({ spec }: StoredObject) => String(spec?.description),
};

/** Numbers from 0 up to 1. Mulberry32, by Tommy Ettinger. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "500" },
      seed: { type: "string", default: String(randomInt(1_000_000)) },
    },
  });
  console.log(`Seed ${values.seed}`);
  const { violations: found, ...counts } = await soakWrites({
    kills: Number(values.kills),
    seed: Number(values.seed),
  });
  console.log(JSON.stringify(counts));
  for (const violation of found.slice(0, 20)) console.log(`WRONG: ${violation}`);
  console.log(found.length === 0 ? "Nothing acknowledged was lost." : `${found.length} violations.`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
