/**
 * Clients write, read and watch over HTTPS while the server is killed at random moments: no acknowledged write is lost,
 * each object's history is linear, each watch ordered, unique and complete.
 *
 *     npm run soak:writes -- --kills 500 --seed 7              the API server alone
 *     npm run soak:writes -- --kills 500 --seed 7 --operator   a whole operator; a person edits the files meanwhile
 *     npm run soak:writes -- --minutes 5                       no kill after five minutes
 *
 * A line a minute tells how far it is. Interrupted, it judges what was done until then. Exit code 1 when something was lost.
 */
import { randomInt } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { crdFile } from "../bench/apiserver/probe.ts";
import { startBuiltPackage } from "../support/bosun-command.ts";
import { untilInterrupted } from "../support/interrupted.ts";
import { apiServer, operator } from "../support/servers.ts";
import { uniform } from "../support/uniform.ts";
import { startClients } from "./clients.ts";
import { startEditor } from "./editor.ts";
import { violations } from "./history.ts";
import { pausedWorkspace, probeSubject, projectSubject, projectYaml } from "./subjects.ts";

/** A life of the server lasts at most this long, in milliseconds; half of them are shorter than a quarter of it. */
const lifeMsMax = 800;

export interface SoakOptions {
  readonly kills: number;
  readonly seed: number;
  /** It is killed until so many writes were acknowledged, on a machine that is slow. Default 0. */
  readonly acknowledgedMin?: number;
  /** A whole operator, not the API server alone. */
  readonly whole?: boolean;
  /** Told how to end what was started, once it was. */
  readonly started?: (end: () => Promise<void>) => void;
  /** Asked before each kill: after `true` none comes, and what was done is judged. Told of what there was until then. */
  readonly isOver?: (until: { kills: number; acknowledged: number }) => boolean;
}

export interface SoakResult {
  readonly kills: number;
  readonly writes: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly reads: number;
  readonly events: number;
  /** Files that were saved. */
  readonly edits: number;
  /** Lists of watchers beyond the first: how often a watch could not be resumed. */
  readonly relists: number;
  readonly violations: readonly string[];
}

export async function soakWrites(options: SoakOptions): Promise<SoakResult> {
  const {
    kills,
    seed,
    acknowledgedMin = 0,
    whole = false,
    started = () => {},
    isOver = () => false,
  } = options;
  const random = uniform(seed);
  const names = Array.from({ length: whole ? 6 : 12 }, (_, index) => `probe-${index}`);
  const files = Object.fromEntries(names.map((name) => [`projects/${name}.yaml`, projectYaml(name)]));
  const here = whole ? await operator({ "workspace.yaml": pausedWorkspace, ...files }) : undefined;
  const server = here ?? (await apiServer(path.dirname(crdFile)));
  started(() => server.close());
  const clients = startClients({
    api: () => server.api,
    subject: whole ? projectSubject : probeSubject,
    names,
    writers: 8,
    watchers: 3,
    random,
  });
  const { writes, reads, watchers } = clients.history;
  const acknowledged = (): number => writes.filter(({ outcome }) => outcome.is === "acknowledged").length;
  const folder = here === undefined ? undefined : path.join(here.folder, "projects");
  const editor = folder === undefined ? undefined : startEditor({ folder, names, writes, watchers, random });
  let killed = 0;
  try {
    for (; killed < kills || acknowledged() < acknowledgedMin; killed += 1) {
      if (isOver({ kills: killed, acknowledged: acknowledged() })) break;
      await sleep(lifeMsMax * random() ** 2);
      await server.kill();
    }
    await editor?.end();
    await clients.end();
  } finally {
    await server.close();
  }
  return {
    kills: killed,
    writes: writes.length,
    acknowledged: acknowledged(),
    unknown: writes.filter(({ outcome }) => outcome.is === "unknown").length,
    reads: reads.length,
    events: watchers.flat().filter(({ is }) => is === "event").length,
    edits: editor?.edits ?? 0,
    relists: watchers.flat().filter(({ is }) => is === "list").length - watchers.length,
    violations: [...violations(clients.history), ...(editor?.lost ?? [])],
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "500" },
      minutes: { type: "string", default: "Infinity" },
      seed: { type: "string", default: String(randomInt(1_000_000)) },
      operator: { type: "boolean", default: false },
    },
  });
  const [kills, minutes, seed] = [Number(values.kills), Number(values.minutes), Number(values.seed)];
  if (!Number.isInteger(kills) || kills < 1 || !(minutes > 0) || !Number.isInteger(seed))
    throw new RangeError(
      "--kills must be a whole number above 0, --minutes a number above 0, --seed a whole number.",
    );
  startBuiltPackage();
  console.log(`Seed ${seed}`);
  let end = async (): Promise<void> => {};
  const interruption = untilInterrupted(() => end());
  const endMs = performance.now() + minutes * 60_000;
  let toldMs = performance.now();
  const { violations: found, ...counts } = await soakWrites({
    kills,
    seed,
    whole: values.operator,
    started(ends) {
      end = ends;
    },
    isOver(until) {
      const nowMs = performance.now();
      if (nowMs - toldMs >= 60_000) {
        toldMs = nowMs;
        console.log(`${until.kills} of ${kills} kills, ${until.acknowledged} writes acknowledged`);
      }
      return interruption.isAskedToEnd || nowMs >= endMs;
    },
  });
  console.log(JSON.stringify(counts));
  for (const violation of found.slice(0, 20)) console.log(`WRONG: ${violation}`);
  console.log(found.length === 0 ? "Nothing acknowledged was lost." : `${found.length} violations.`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
