/** Agents at work on trees of processes that do not want to end, and what of it still runs: found without the product's help. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Scratch, type ScratchOptions, scratch } from "../operator/scratch.ts";

export interface Crew extends Scratch {
  /** Waits until every session holds its tree, and those that ask have asked anew since the last time. */
  atWork(): Promise<void>;
  /** Processes of sessions, checks, setup and the gateway, in words. Not the operator and what it plays the model with. */
  running(): readonly string[];
  /** Waits until none runs, and gives the milliseconds that took from `startMs`, of `performance.now`. */
  none(startMs: number): Promise<number>;
}

/** How many sessions of each kind. */
export interface CrewOptions extends Pick<ScratchOptions, "workspace" | "env" | "dailyUSD"> {
  /** Their tool call, a whole tree, does not return. */
  holding?: number;
  /** They left processes behind, and wait for an answer that never ends. They need `sandbox: Off`. */
  leaving?: number;
  /** They wait for an answer that never ends. */
  asking?: number;
  /** Whether two processes of each tree never rest. */
  busy?: boolean;
}

/** What a promise of the system allows at most, in milliseconds. */
export const hardLimitMs = 30_000;
/** Processes that each session shows at least: more where it may make namespaces. */
const treeMin = { holding: 4, leaving: 2 };
const patienceMs = 60_000;
const lookMs = 10;
const neverRests = "while :; do :; done &\n".repeat(2);
export const stubbornScript = readFileSync(path.join(import.meta.dirname, "stubborn.sh"), "utf8");

export function crew(
  { holding = 0, leaving = 0, asking = 0, busy = false, ...more }: CrewOptions,
  onEnd?: (remove: () => Promise<void>) => void,
): Crew {
  const kinds = [
    ...Array<string>(holding).fill("stubborn"),
    ...Array<string>(leaving).fill("leaving"),
    ...Array<string>(asking).fill("asking"),
  ];
  const sketches = kinds.map(
    (kind, index) => [`p-${index + 1}`, { description: `[test: ${kind}]` }] as const,
  );
  const options: ScratchOptions = {
    projects: Object.fromEntries(sketches),
    agents: kinds.length,
    reviewers: 0,
    files: { "stubborn.sh": `${busy ? neverRests : ""}${stubbornScript}` },
    ...more,
  };
  const here = scratch(options, onEnd);
  const upstreamLog = path.join(here.workspace.operator, "rehearsal.jsonl");
  const requests = (): number => textOf(upstreamLog).match(/"step":"hang".*"ended":"Open"/g)?.length ?? 0;
  let requestsBefore = 0;

  return {
    ...here,
    async atWork() {
      const endMs = performance.now() + patienceMs;
      for (;;) {
        const trees = treesBelow(here.folder);
        const full = [...trees.values()].filter((count) => count >= treeMin.leaving);
        const whole = full.filter((count) => count >= treeMin.holding);
        const asked = requests();
        const inFlight = asked - requestsBefore;
        if (full.length >= holding + leaving && whole.length >= holding && inFlight >= leaving + asking) {
          requestsBefore = asked;
          return;
        }
        if (performance.now() > endMs)
          throw new Error(
            `Not all are at work: ${JSON.stringify([...trees])}, ${inFlight} requests.\n${await here.tell("status")}`,
          );
        await sleep(50);
      }
    },
    running: () => runningFor(here.folder),
    async none(startMs) {
      for (;;) {
        const left = runningFor(here.folder);
        const tookMs = performance.now() - startMs;
        if (left.length === 0) return tookMs;
        if (tookMs > 2 * hardLimitMs) throw new Error(`Still there: ${left.join("; ")}`);
        await sleep(lookMs);
      }
    },
  };
}

/** How many stubborn processes run, by the folder they were started in. */
function treesBelow(folder: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { command } of everyProcess()) {
    const [, where] = /stubborn:(\S+?)[\s']/.exec(`${command} `) ?? [];
    if (where?.startsWith(folder)) counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return counts;
}

export function runningFor(folder: string): readonly string[] {
  return named(folder)
    .filter(({ command, environment, cwd }) =>
      [command, environment, cwd].some((text) => text.includes(folder)),
    )
    .filter(({ pid, command, environment }) => {
      // The operator, git as it or the command runs it, the model it plays, and this test.
      const isOperator = /bosun\.mjs up|rehearsal\/main|core\.hooksPath=\/dev\/null/.test(command);
      return !isOperator && pid !== process.pid && !environment.includes("VITEST_WORKER_ID");
    })
    .map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`);
}

interface SeenProcess {
  pid: number;
  command: string;
  environment: string;
  cwd: string;
}

/** Every process, those for `folder` with their command: one that is just becoming another program shows none, and is looked at again. */
function named(folder: string): readonly SeenProcess[] {
  for (let looks = 1; ; looks += 1) {
    const all = everyProcess();
    const isNameless = ({ command, environment, cwd }: SeenProcess) =>
      command === "" && [environment, cwd].some((text) => text.includes(folder));
    if (looks === looksMax || !all.some(isNameless)) return all;
  }
}

/** What has no name after so many looks is told without one. */
const looksMax = 20;

function everyProcess(): readonly SeenProcess[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => ({
      pid: Number(pid),
      command: textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim(),
      environment: textOf(`/proc/${pid}/environ`),
      cwd: linkOf(`/proc/${pid}/cwd`),
    }));
}

/** Empty for what is gone, or another user's. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
