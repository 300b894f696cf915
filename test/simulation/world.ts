/** Everything that outlives an operator: the API, hosts, git, checks, money, the stop latch. */

import { SimApi } from "./api.ts";
import type { Prng } from "./kernel/prng.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import { roughTemper, type Temper } from "./world/conduct.ts";
import { SimDisk } from "./world/disk.ts";
import { SimLatch } from "./world/latch.ts";
import { SimMoney } from "./world/money.ts";
import { SimQuality } from "./world/quality.ts";
import { SimRepository } from "./world/repository.ts";
import { SimSessions } from "./world/sessions.ts";
import { FILES, fileName } from "./world/work.ts";

export interface World {
  scheduler: Scheduler;
  api: SimApi;
  temper: Temper;
  sessions: SimSessions;
  repository: SimRepository;
  quality: SimQuality;
  money: SimMoney;
  latch: SimLatch;
  /** Of the machine; undefined where a cluster keeps the objects. */
  disk: SimDisk | undefined;
  prng(stream: string): Prng;
}

export async function makeWorld({
  seed,
  temper = roughTemper,
  mode = "Cluster",
}: {
  seed: number;
  temper?: Temper;
  /** Whether a cluster keeps the objects, or the operator itself, in a log on its machine's disk. */
  mode?: "Cluster" | "Files";
}): Promise<World> {
  const scheduler = new Scheduler({ seed, keepSteps: 80 });
  const disk = mode === "Files" ? new SimDisk() : undefined;
  const segmentBytes = 1024 * (32 + scheduler.prng("segments").below(97));
  const api = new SimApi(disk === undefined ? {} : { disk, segmentBytes });
  if (disk === undefined) await api.startCluster(scheduler.world);
  const life = scheduler.incarnation("host");
  const files = Array.from({ length: FILES }, (_, index) => [fileName(index), "begin"] as const);
  const repository = new SimRepository(Object.fromEntries(files));
  const latch = new SimLatch();
  const money = new SimMoney(scheduler.incarnation("gateway").clock);
  const quality = new SimQuality({
    objects: repository.objects,
    clock: scheduler.incarnation("checks").clock,
  });
  const mood = { ...temper };
  const prng = (stream: string): Prng => scheduler.prng(stream);
  const sessions = new SimSessions({ life, repository, money, latch, prng, temper: mood });
  return { scheduler, api, temper: mood, sessions, repository, quality, money, latch, disk, prng };
}
