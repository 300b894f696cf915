import type { Clock } from "../runtime/clock.ts";
import type { Progress } from "./runner/loop.ts";
import type { SessionFolder } from "./session-folder.ts";
import type { Outcome, SessionReport } from "./sessions.ts";

/** What the transcript says a report holds. */
export interface Standing {
  turns: number;
  tasksDone: readonly string[];
  currentTask?: string;
}

export interface ReporterOptions {
  run: number;
  folder: SessionFolder;
  clock: Clock;
  standing(): Standing;
  /** Called with each report that was written. */
  onReport(report: SessionReport): void;
}

/** Keeps `report.json` true while a host lives, and durable at the end of each turn. */
export interface Reporter extends Progress {
  /** A request was sent; until something arrives it may be waiting in line for budget. */
  asked(): void;
  /** Something arrived from the model; the request is within its limit as long as more comes within `silenceMs`. */
  active(silenceMs: number): void;
  /** Writes what changed since the last report; call it every second or so. */
  tick(): void;
  /** The last report of a run, or of this part of it. */
  finish(outcome: Outcome): void;
}

/** Age at which a heartbeat is renewed, in milliseconds. */
const heartbeatPeriodMs = 10_000;

/**
 * No more than this counts between two looks at the clock, in milliseconds: a process that was stopped for longer, or a
 * machine that slept, did not live meanwhile.
 */
const standMsMax = 30_000;

/** A request without any answer for longer than this waits in line for budget: that time is not live. */
const answerGraceMs = 30_000;

export function openReporter({ run, folder, clock, standing, onReport }: ReporterOptions): Reporter {
  const before = folder.readReport();
  const liveBefore = before?.liveSeconds ?? 0;
  let lookedMs = clock.elapsed();
  let ranMs = 0;
  let lastActivityMs = clock.now();
  let beatMs = clock.now();
  let written = { activityMs: lastActivityMs, beatMs };
  let busyUntilMs: number | undefined;
  let asking = false;
  let askedMs: number | undefined;
  let waitedMs = 0;
  let outcome: Outcome | undefined;

  /** How long this process has run, in milliseconds. */
  const ran = () => {
    const now = clock.elapsed();
    ranMs += Math.min(now - lookedMs, standMsMax);
    lookedMs = now;
    return ranMs;
  };
  const waitingMs = () => (askedMs === undefined ? 0 : Math.max(0, ran() - askedMs - answerGraceMs));
  const answered = () => {
    waitedMs += waitingMs();
    askedMs = undefined;
  };
  const acted = () => {
    answered();
    lastActivityMs = clock.now();
    beatMs = lastActivityMs;
  };

  const write = (options: { durable: boolean }) => {
    const { turns, tasksDone, currentTask } = standing();
    const report: SessionReport = {
      run,
      turns,
      liveSeconds: liveBefore + (ran() - waitedMs - waitingMs()) / 1000,
      lastActivityMs,
      heartbeatMs: beatMs,
      ...(currentTask === undefined ? {} : { currentTask }),
      tasksDone,
      busy: busyUntilMs !== undefined && clock.elapsed() < busyUntilMs,
      ...(outcome === undefined ? {} : { outcome }),
    };
    written = { activityMs: lastActivityMs, beatMs };
    folder.writeReport(report, options);
    onReport(report);
  };
  write({ durable: true });

  return {
    async during(limitMs, work) {
      busyUntilMs = clock.elapsed() + limitMs;
      beatMs = clock.now();
      write({ durable: false });
      try {
        return await work();
      } finally {
        busyUntilMs = undefined;
        asking = false;
        acted();
      }
    },
    beat() {
      beatMs = clock.now();
    },
    asked() {
      asking = true;
      askedMs = ran();
    },
    active(silenceMs) {
      acted();
      // The last bytes may come when the turn is over: what runs then has a limit of its own.
      if (asking) busyUntilMs = clock.elapsed() + silenceMs;
    },
    turned: () => write({ durable: true }),
    tick() {
      ran();
      // Time alone is no sign of life: only a call or a request within its own limit excuses a loop that stands.
      if (busyUntilMs !== undefined && clock.elapsed() < busyUntilMs) beatMs = clock.now();
      const stale = Math.abs(beatMs - written.beatMs) >= heartbeatPeriodMs;
      if (stale || lastActivityMs - written.activityMs >= 1000) write({ durable: false });
    },
    finish(ended) {
      outcome = ended;
      write({ durable: true });
    },
  };
}
