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

/**
 * Keeps `report.json` true while a host lives, a second old at most. What others wait for (a task that is done, another
 * in hand, the outcome) is written at once; of turns and results that follow each other faster, the last of a second.
 */
export interface Reporter extends Progress {
  /** A request was sent; until something arrives it may be waiting in line for budget. */
  asked(): void;
  /** Something arrived from the model; the request is within its limit as long as more comes within `silenceMs`. */
  active(silenceMs: number): void;
  /** Writes what changed since the last report; call it every second. */
  tick(): void;
  /** The last report of a run, or of this part of it. */
  finish(outcome: Outcome): void;
}

/** What is no news is written this often at most, in milliseconds. */
const writePeriodMs = 1_000;

/** Age at which a heartbeat is renewed, in milliseconds. */
const heartbeatPeriodMs = 10_000;

/**
 * No more than this counts between two looks at the clock, in milliseconds: a process that was stopped for longer, or a
 * machine that slept, did not live meanwhile.
 */
const standMsMax = 30_000;

/** What people are told of a refusal is cut to so many characters. */
const refusalCharactersMax = 500;

/** A request without any answer for longer than this waits in line for budget: that time is not live. */
const answerGraceMs = 30_000;

/** Goes on from the report in the folder: live seconds are those of all hosts of the session. */
export function openReporter({ run, folder, clock, standing, onReport }: ReporterOptions): Reporter {
  const before = folder.readReport();
  const liveBefore = before?.liveSeconds ?? 0;
  let lookedMs = clock.elapsed();
  let ranMs = 0;
  let lastActivityMs = clock.now();
  let beatMs = clock.now();
  let written = { atMs: 0, activityMs: 0, beatMs: 0, busy: false, news: "" };
  /** A turn or a result is in no report yet. */
  let turnedSince = false;
  let busyUntilMs: number | undefined;
  let asking = false;
  let askedMs: number | undefined;
  let waitedMs = 0;
  // What the last host was refused with holds until there is an answer.
  let refusal = before?.outcome === undefined ? undefined : before.refusal;
  let refusedMs = 0;
  let outcome: Outcome | undefined;

  /** How long this process has run, in milliseconds. */
  const ran = () => {
    const now = clock.elapsed();
    ranMs += Math.min(now - lookedMs, standMsMax);
    lookedMs = now;
    return ranMs;
  };
  const waitingMs = () => {
    if (refusal !== undefined) return ran() - refusedMs;
    return askedMs === undefined ? 0 : Math.max(0, ran() - askedMs - answerGraceMs);
  };
  const answered = () => {
    if (refusal === undefined) waitedMs += waitingMs();
    askedMs = undefined;
  };
  const acted = () => {
    answered();
    lastActivityMs = clock.now();
    beatMs = lastActivityMs;
  };

  const isBusy = () => busyUntilMs !== undefined && clock.elapsed() < busyUntilMs;
  const newsIn = ({ tasksDone, currentTask }: Standing) => JSON.stringify([tasksDone, currentTask]);

  const write = (options: { durable: boolean }) => {
    const now = standing();
    const { turns, tasksDone, currentTask } = now;
    const busy = isBusy();
    const report: SessionReport = {
      run,
      turns,
      liveSeconds: liveBefore + (ran() - waitedMs - waitingMs()) / 1000,
      lastActivityMs,
      heartbeatMs: beatMs,
      ...(currentTask === undefined ? {} : { currentTask }),
      tasksDone,
      busy,
      ...(refusal === undefined ? {} : { refusal }),
      ...(outcome === undefined ? {} : { outcome }),
    };
    written = { atMs: clock.elapsed(), activityMs: lastActivityMs, beatMs, busy, news: newsIn(now) };
    turnedSince = false;
    folder.writeReport(report, options);
    onReport(report);
  };
  write({ durable: true });

  return {
    async during(limitMs, work) {
      busyUntilMs = clock.elapsed() + limitMs;
      beatMs = clock.now();
      // What is over within a second was never seen to be busy: nobody misses it.
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
    turned() {
      const isNews = newsIn(standing()) !== written.news;
      if (isNews || clock.elapsed() - written.atMs >= writePeriodMs) write({ durable: true });
      else turnedSince = true;
    },
    refused(why) {
      const said = why?.slice(0, refusalCharactersMax);
      if (said === refusal) return;
      if (said === undefined) waitedMs += waitingMs();
      else if (refusal === undefined) refusedMs = ran();
      refusal = said;
      write({ durable: true });
    },
    tick() {
      ran();
      // Time alone is no sign of life: only a call or a request within its own limit excuses a loop that stands.
      if (isBusy()) beatMs = clock.now();
      const stale = Math.abs(beatMs - written.beatMs) >= heartbeatPeriodMs;
      const acted = lastActivityMs - written.activityMs >= writePeriodMs;
      if (turnedSince) write({ durable: true });
      else if (stale || acted || isBusy() !== written.busy) write({ durable: false });
    },
    finish(ended) {
      outcome = ended;
      write({ durable: true });
    },
  };
}
