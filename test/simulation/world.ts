/** Everything that outlives an operator: the API, hosts, git, checks, money, the stop latch. */

import { SimApi } from "./api.ts";
import { type Prng, prng as prngOf } from "./kernel/prng.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import { roughTemper, type Temper } from "./world/conduct.ts";
import { SimDisk } from "./world/disk.ts";
import { SimLatch } from "./world/latch.ts";
import { SimMoney } from "./world/money.ts";
import { SimQuality } from "./world/quality.ts";
import { SimRepository } from "./world/repository.ts";
import { SimSessions } from "./world/sessions.ts";
import { SimTexts } from "./world/texts.ts";
import { SimUpstream } from "./world/upstream.ts";
import { FILES, fileName } from "./world/work.ts";

export interface World {
  scheduler: Scheduler;
  api: SimApi;
  temper: Temper;
  sessions: SimSessions;
  repository: SimRepository;
  quality: SimQuality;
  money: SimMoney;
  upstream: SimUpstream;
  latch: SimLatch;
  /** Of the machine: checkouts, the ledger and, unless a server keeps the objects, the log. */
  machine: SimDisk;
  /** What the operator keeps the objects on; undefined where a server does. */
  disk: SimDisk | undefined;
  /** People's files; undefined where they edit objects alone. */
  texts: SimTexts | undefined;
  prng(stream: string): Prng;
}

export async function makeWorld({
  seed,
  temper = roughTemper,
  mode = "Cluster",
  hasTexts = false,
}: {
  seed: number;
  temper?: Temper;
  /** Whether a cluster keeps the objects, or the operator itself, in a log on its machine's disk. */
  mode?: "Cluster" | "Files";
  /** Whether the objects also lie in people's files: with mode Files. */
  hasTexts?: boolean;
}): Promise<World> {
  const startMs = startsAtMs(seed);
  const scheduler = new Scheduler({ seed, startMs, keepSteps: 80 });
  const machine = new SimDisk();
  const disk = mode === "Files" ? machine : undefined;
  const segmentBytes = 1024 * (32 + scheduler.prng("segments").below(97));
  const texts = hasTexts ? new SimTexts(machine) : undefined;
  const api = new SimApi(
    disk === undefined ? {} : { disk, segmentBytes, ...(texts === undefined ? {} : { texts }) },
  );
  if (disk === undefined) await api.startCluster(scheduler.world);
  const life = scheduler.incarnation("host");
  const files = Array.from({ length: FILES }, (_, index) => [fileName(index), "begin"] as const);
  const repository = new SimRepository(Object.fromEntries(files));
  repository.canWrite = () => !machine.isFull && !machine.isFailing;
  const latch = new SimLatch();
  const upstream = new SimUpstream(scheduler.prng("upstream"), () => startMs + scheduler.elapsedMs);
  const money = new SimMoney({
    incarnation: (name) => scheduler.incarnation(name),
    world: scheduler.world,
    prng: (stream) => scheduler.prng(stream),
    upstream,
    disk: machine,
  });
  money.isHeld = () => latch.isEngaged;
  const quality = new SimQuality({
    objects: repository.objects,
    clock: scheduler.incarnation("checks").clock,
  });
  const mood = { ...temper };
  const prng = (stream: string): Prng => scheduler.prng(stream);
  const sessions = new SimSessions({ life, repository, money, latch, prng, temper: mood });
  latch.onEngaged = () => {
    sessions.killAll();
    money.die();
  };
  return {
    ...{ scheduler, api, temper: mood, sessions, repository, quality, money, upstream, latch },
    ...{ machine, disk, texts, prng },
  };
}

/** Days on which calendars do something; each with the hours before and behind it. */
const DAYS: readonly string[] = [
  "2026-01-05T08:00:00Z",
  // The end of a month, and of a year; a leap day.
  "2026-01-31T20:00:00Z",
  "2026-12-31T21:00:00Z",
  "2028-02-28T22:00:00Z",
  // Clocks go forward and back, in Berlin and in New York.
  "2026-03-28T21:00:00Z",
  "2026-10-24T20:00:00Z",
  "2026-03-08T02:00:00Z",
  "2026-11-01T01:00:00Z",
];

function startsAtMs(seed: number): number {
  return Date.parse(DAYS[prngOf(seed, "start").below(DAYS.length)] ?? "");
}
