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
  /** Something arrived from the model. */
  active(): void;
  /** Writes what changed since the last report; call it every second or so. */
  tick(): void;
  /** The last report of a run, or of this part of it. */
  finish(outcome: Outcome): void;
}

/** Age at which a heartbeat is renewed, in milliseconds. */
const heartbeatPeriodMs = 10_000;

/** A request without any answer for longer than this waits in line for budget: that time is not live. */
const answerGraceMs = 30_000;

export function openReporter({ run, folder, clock, standing, onReport }: ReporterOptions): Reporter {
  const before = folder.readReport();
  const liveBefore = before?.liveSeconds ?? 0;
  const startedMs = clock.elapsed();
  let lastActivityMs = clock.now();
  let beatMs = clock.now();
  let written = { activityMs: lastActivityMs, beatMs };
  let busyUntilMs: number | undefined;
  let askedMs: number | undefined;
  let waitedMs = 0;
  let outcome: Outcome | undefined;

  const waitingMs = () =>
    askedMs === undefined ? 0 : Math.max(0, clock.elapsed() - askedMs - answerGraceMs);
  const answered = () => {
    waitedMs += waitingMs();
    askedMs = undefined;
  };
  const active = () => {
    answered();
    lastActivityMs = clock.now();
    beatMs = lastActivityMs;
  };

  const write = (options: { durable: boolean }) => {
    const { turns, tasksDone, currentTask } = standing();
    const report: SessionReport = {
      run,
      turns,
      liveSeconds: liveBefore + (clock.elapsed() - startedMs - waitedMs - waitingMs()) / 1000,
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
        active();
      }
    },
    beat() {
      beatMs = clock.now();
    },
    asked() {
      askedMs = clock.elapsed();
    },
    active,
    turned: () => write({ durable: true }),
    tick() {
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
