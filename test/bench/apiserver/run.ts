import { performance } from "node:perf_hooks";
import type { Answer, Api } from "../../support/api.ts";
import { measure, type Timing, timing } from "./measure.ts";
import { applied, probe, probes, statusPatch } from "./probe.ts";
import type { Target } from "./target.ts";

/** What was measured, by the names of `rows` in table.ts. Times in milliseconds, memory in MB. */
export type Figures = Readonly<Record<string, number | undefined>>;

const merge = "application/merge-patch+json";
const apply = "application/apply-patch+yaml";

/** Measures one server from empty to 10,000 objects, and closes it. */
export async function run(target: Target, { quick = false }: { quick?: boolean }): Promise<Figures> {
  const figures: Record<string, number | undefined> = {};
  const times = (count: number): number => (quick ? Math.ceil(count / 10) : count);
  const note = (name: string, { perSecond, p50, p99 }: Timing): void => {
    figures[`${name} /s`] = perSecond;
    figures[`${name} p50`] = p50;
    figures[`${name} p99`] = p99;
  };
  try {
    await clear(target.api);
    figures["start empty"] = await target.restart();
    figures["memory idle"] = target.memoryMb();
    const create = creator(target.api);
    await measure({ count: times(300), concurrency: 4 }, create);
    for (const [concurrency, count] of [
      [1, 400],
      [16, 1600],
      [64, 2700],
    ] as const)
      note(`create c=${concurrency}`, await measure({ count: times(count), concurrency }, create));
    await writes(target.api, times, note);
    await reads(target.api, times, note);
    figures["memory 5000"] = target.memoryMb();
    for (const watchers of [1, 100])
      note(`watch ${watchers}`, await watchLatency(target.api, watchers, times(400)));
    await measure({ count: times(5000), concurrency: 64 }, create);
    figures["start 10000"] = await target.restart();
    await clear(target.api);
    return figures;
  } finally {
    await target.close();
  }
}

/** Creates one more object with each call. */
function creator(api: Api): () => Promise<void> {
  let created = 0;
  return async () => {
    const name = `probe-${String(created++).padStart(6, "0")}`;
    expect(await api.send("POST", probes, probe(name)), 201);
  };
}

async function writes(
  api: Api,
  times: (count: number) => number,
  note: (name: string, timing: Timing) => void,
): Promise<void> {
  const name = (index: number): string => `probe-${String(index % 50).padStart(6, "0")}`;
  const patch = async (i: number): Promise<void> =>
    expect(await api.send("PATCH", `${probes}/${name(i)}/status`, statusPatch(i), merge), 200);
  await measure({ count: times(100), concurrency: 1 }, patch);
  note("status patch", await measure({ count: times(800), concurrency: 1 }, (i) => patch(i + 1000)));
  const path = (i: number): string => `${probes}/${name(i)}?fieldManager=bench&force=true`;
  const server = async (i: number): Promise<void> =>
    expect(await api.send("PATCH", path(i), applied(name(i), Math.floor(i / 50)), apply), 200);
  await measure({ count: times(100), concurrency: 1 }, server);
  note("apply", await measure({ count: times(800), concurrency: 1 }, (i) => server(i + 1000)));
}

async function reads(
  api: Api,
  times: (count: number) => number,
  note: (name: string, timing: Timing) => void,
): Promise<void> {
  const get = async (path: string): Promise<void> => expect(await api.send("GET", path), 200);
  note("get", await measure({ count: times(3000), concurrency: 1 }, () => get(`${probes}/probe-000007`)));
  note("list all", await measure({ count: times(20), concurrency: 1 }, () => get(probes)));
  note(
    "list limit=500",
    await measure({ count: times(100), concurrency: 1 }, () => get(`${probes}?limit=500`)),
  );
}

/** From the request of a write to the event at every one of `watchers`. */
async function watchLatency(api: Api, watchers: number, count: number): Promise<Timing> {
  const { metadata } = JSON.parse((await api.send("GET", `${probes}?limit=1`)).text);
  let missing = 0;
  let all: () => void = () => {};
  const see = (): void => {
    missing -= 1;
    if (missing === 0) all();
  };
  const from = `${probes}?watch=true&resourceVersion=${metadata.resourceVersion}`;
  const open = await Promise.all(Array.from({ length: watchers }, () => api.watch(from, see)));
  const tookMs: number[] = [];
  const began = performance.now();
  for (let i = 0; i < count; i += 1) {
    const seen = new Promise<void>((resolve) => {
      all = resolve;
    });
    missing = watchers;
    const sent = performance.now();
    const written = api.send("PATCH", `${probes}/probe-000011/status`, statusPatch(i + 100_000), merge);
    await seen;
    tookMs.push(performance.now() - sent);
    expect(await written, 200);
  }
  const wholeMs = performance.now() - began;
  for (const watch of open) watch.close();
  return timing(tookMs, wholeMs);
}

async function clear(api: Api): Promise<void> {
  for (;;) {
    const { items } = JSON.parse((await api.send("GET", `${probes}?limit=500`)).text);
    if (items.length === 0) return;
    const names: string[] = items.map((item: { metadata: { name: string } }) => item.metadata.name);
    await measure({ count: names.length, concurrency: 64 }, (i) =>
      api.send("DELETE", `${probes}/${names[i]}`),
    );
  }
}

function expect({ status, text }: Answer, wanted: number): void {
  if (status !== wanted) throw new Error(`The server answered ${status}, not ${wanted}: ${text}`);
}
