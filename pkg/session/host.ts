import { closeSync, mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Random } from "../runtime/clock.ts";
import { timestamp } from "../runtime/clock.ts";
import { isEngaged } from "../system/latch-files.ts";
import { type ProcessIdentity, startTimeOf } from "../system/process-identity.ts";
import { endTree } from "./process-tree.ts";
import { openReporter } from "./reporter.ts";
import { entriesOfRun, tasksDoneOf, turnsOf } from "./runner/conversation.ts";
import { runLoop } from "./runner/loop.ts";
import { sdkModel } from "./runner/model.ts";
import { type SessionFile, updateSessionFile } from "./session-file.ts";
import type { LaunchSettings, SessionFolder } from "./session-folder.ts";
import type { Outcome, SessionReport, SessionSpec } from "./sessions.ts";
import { setUp } from "./setup.ts";
import { executeTools, headOf } from "./tools/execute.ts";
import { reviewTools } from "./tools/review.ts";
import { workplace } from "./tools/workplace.ts";
import { openTranscript, type Transcript } from "./transcript.ts";

export interface HostOptions {
  folder: SessionFolder;
  /** Which attempt at its session it was started as; the newest when undefined. */
  attempt?: string | undefined;
  /** Of the process that was started first; its pid as the operator sees it. */
  outermostPid: number;
  /** An open handle of a /proc that shows pids as the operator sees them; undefined where they are the host's own. */
  outerProcHandle?: number;
  clock: Clock;
  random: Random;
  /** Ends this process and with it its namespace, at once. */
  exit(): never;
}

/** How often it looks at the stop latch, and whether it still is the one that may run, in milliseconds. */
const latchPollMs = 100;
/** How often time is counted and what is new is shown, in milliseconds. */
const tickMs = 1000;

/**
 * A session host: makes itself known, then runs one run of one session to its outcome. What it needs is in the
 * session's folder; it asks nobody and survives the operator. It ends at once when the stop latch appears, or when the
 * folder names another attempt or none: it was suspended, perhaps, and somebody else goes on in its place.
 *
 * @returns the outcome; undefined when it may not run
 * @throws Error when a file of the folder is missing or damaged; no outcome is reported then
 */
export async function runHost(options: HostOptions): Promise<Outcome | undefined> {
  const { clock, random, outerProcHandle } = options;
  const folder = whileNamed(options.folder, () => isNamed() || options.exit());
  const spec = required(folder.readSpec(), "spec.json", folder);
  const launch = required(folder.readLaunch(), "launch.json", folder);
  const { attempt = launch.attempt } = options;
  const isNamed = (): boolean => folder.readHost()?.attempt === attempt;
  if (isEngaged(launch.stopLatch) || !isNamed()) return undefined;

  const ended = new AbortController();
  const startedAtMs = clock.now();
  const written = openTranscript(folder.transcriptPath, () => clock.now());
  const transcript: Transcript = {
    ...written,
    // Whatever is about to happen is announced here first, so that nothing begins without the right to.
    append: (entry) => (isNamed() ? written.append(entry) : options.exit()),
  };
  const before = folder.readReport();
  const failure = before?.run === spec.run && before.outcome?.kind === "Failed" ? before.outcome : undefined;
  const reporter = openReporter({
    run: spec.run,
    folder,
    clock,
    standing: () => standingOf(spec, transcript),
    onReport: seldom(clock, (report) =>
      writeSessionFile(spec, launch, report, options.outermostPid, startedAtMs),
    ),
  });
  folder.writeHost({
    state: "running",
    attempt,
    place: launch.place,
    startedAtMs,
    contained: outerProcHandle !== undefined,
    ...(await identities(options)),
  });

  const heedEnd = async () => {
    if (!isEngaged(launch.stopLatch) && isNamed()) return;
    if (outerProcHandle === undefined) await endTree(spec.id, [], clock);
    options.exit();
  };
  every(latchPollMs, heedEnd, clock, ended.signal);
  every(tickMs, async () => reporter.tick(), clock, ended.signal);

  const home = join(folder.path, "home");
  mkdirSync(home, { recursive: true });
  const place = workplace({ ...launch, spec, home, clock });
  const headAtStart = () => {
    const opening = entriesOfRun(transcript.entries, spec.run)[0];
    return opening?.type === "message" ? opening.head : undefined;
  };
  const outcome =
    sandboxMissing(spec, launch) ??
    (await setUp({ spec, folder, place, progress: reporter })) ??
    (await runLoop({
      spec,
      transcript,
      model: sdkModel({
        access: () => required(folder.readAccess(), "access.json", folder),
        host: attempt,
        clock,
        onAsked: () => reporter.asked(),
        onActivity: (silenceMs) => reporter.active(silenceMs),
      }),
      toolbox:
        spec.purpose === "execute"
          ? executeTools({ spec, place, headAtStart })
          : reviewTools({ spec, place }),
      clock,
      random,
      progress: reporter,
      failure,
      // A reviewer changes nothing that it could be held against.
      head: async () => (spec.purpose === "execute" ? headOf(place) : undefined),
      // An order to end at once is carried out from outside: a host that paused for it would have an outcome to tell.
      pauseRequested: () => folder.readOrder() === "AfterTurn",
    }));
  ended.abort();
  reporter.finish(outcome);
  transcript.close();
  return outcome;
}

/**
 * For people, who read no faster: at once when the task or the end is news, else once a second at most. Each write of a
 * file in `.claude-sessions` has the operator look at that folder.
 */
function seldom(clock: Clock, show: (report: SessionReport) => void): (report: SessionReport) => void {
  let news: string | undefined;
  let shownMs = 0;
  return (report) => {
    const now = JSON.stringify([report.currentTask, report.outcome]);
    if (now === news && clock.elapsed() - shownMs < tickMs) return;
    news = now;
    shownMs = clock.elapsed();
    show(report);
  };
}

/** The folder, in which nothing is written once `assertNamed` does not come back. */
function whileNamed(folder: SessionFolder, assertNamed: () => void): SessionFolder {
  return {
    ...folder,
    writeReport(report, options) {
      assertNamed();
      folder.writeReport(report, options);
    },
    writeHost(host) {
      assertNamed();
      folder.writeHost(host);
    },
    writeSetup(record) {
      assertNamed();
      folder.writeSetup(record);
    },
  };
}

/** Calls `work` periodically until the signal; the first time after one period. */
function every(periodMs: number, work: () => Promise<void>, clock: Clock, signal: AbortSignal): void {
  const loop = async () => {
    while (!signal.aborted) {
      await clock.sleep(periodMs, signal);
      await work();
    }
  };
  loop().catch((error: unknown) => {
    // An ended wait is how this ends; anything else must end the host, or it would go on unwatched.
    if (!signal.aborted)
      queueMicrotask(() => {
        throw error;
      });
  });
}

async function identities(
  options: HostOptions,
): Promise<{ outermost: ProcessIdentity; host: ProcessIdentity }> {
  const { outermostPid, outerProcHandle } = options;
  if (outerProcHandle === undefined) {
    const outermost = await identityOf(outermostPid, "/proc");
    return {
      outermost,
      host: process.pid === outermostPid ? outermost : await identityOf(process.pid, "/proc"),
    };
  }
  const proc = `/proc/self/fd/${outerProcHandle}`;
  const ownPid = Number(readlinkSync(`${proc}/self`));
  const known = { outermost: await identityOf(outermostPid, proc), host: await identityOf(ownPid, proc) };
  // Nothing that is started from here on may look out of the namespace.
  closeSync(outerProcHandle);
  return known;
}

async function identityOf(pid: number, proc: string): Promise<ProcessIdentity> {
  const startTime = await startTimeOf(pid, proc);
  if (startTime === undefined) throw new Error(`Process ${pid} of this session host is gone already.`);
  return { pid, startTime };
}

/** Why the run can't begin: it wants a sandbox, and none was found, or none is told of. */
function sandboxMissing(
  { sandbox: wanted }: SessionSpec,
  { sandboxed, sandbox }: LaunchSettings,
): Outcome | undefined {
  if (wanted === "Off" || !sandboxed || sandbox?.available === true) return undefined;
  const message =
    sandbox === undefined ? "Whether there is a sandbox is unknown." : `${sandbox.why} ${sandbox.fix}`;
  return { kind: "Failed", reason: "SandboxUnavailable", message };
}

function standingOf(spec: SessionSpec, transcript: Transcript) {
  const tasksDone = tasksDoneOf(transcript.entries);
  const currentTask = spec.tasks.find(({ id }) => !tasksDone.includes(id))?.id;
  return {
    turns: turnsOf(entriesOfRun(transcript.entries, spec.run)),
    tasksDone,
    ...(currentTask === undefined ? {} : { currentTask }),
  };
}

function writeSessionFile(
  spec: SessionSpec,
  launch: LaunchSettings,
  report: SessionReport,
  pid: number,
  startedAtMs: number,
): void {
  const shown = {
    agent_id: spec.agent,
    status: spec.purpose === "execute" ? "working" : "reviewing",
    current_project_id: spec.project,
    current_phase: spec.purpose === "execute" ? "Working" : "InReview",
    last_heartbeat: timestamp(report.heartbeatMs),
    last_activity: timestamp(report.lastActivityMs),
    branch_name: spec.branch === "" ? null : spec.branch,
    pid,
    started_at: timestamp(startedAtMs),
    session_id: spec.id,
    claim: spec.claim.number,
    current_task: report.currentTask ?? null,
  } satisfies Partial<SessionFile>;
  updateSessionFile(join(launch.sessionFilesDirectory, `${spec.agent}.session`), shown, "host");
}

function required<T>(value: T | undefined, name: string, folder: SessionFolder): T {
  if (value === undefined)
    throw new Error(`${join(folder.path, name)} is missing; the session can't run without it.`);
  return value;
}
