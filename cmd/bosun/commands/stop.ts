/**
 * `bosun stop` ends the operator as Ctrl-C does. `--emergency` ends every session, its processes and every request at
 * once, and needs nobody for it. Both keep all state.
 */
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import type { FileSystem } from "../../../pkg/storage/file-system.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { originalOf, repositoryOf } from "../operator/state-directory.ts";
import { endEverything } from "../stop/end-everything.ts";
import { readHolder } from "../stop/quiet-operator.ts";
import { sessionsAtWork } from "../stop/sessions-at-work.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

/** A disk that has not taken the latch by then is told of, in milliseconds; everything is ended by then. */
const latchLimitMs = 5_000;

/** What an emergency stop goes by. */
interface StopDeps {
  clock: Clock;
  /** Where the latch is written. */
  fs: FileSystem;
}

export async function stop(
  context: Context,
  { emergency = false }: { emergency?: boolean },
  deps: StopDeps = { clock: systemClock, fs: nodeFileSystem },
): Promise<void> {
  const folder = findWorkspace(context.cwd);
  if (emergency) await emergencyStop(context, folder, deps);
  else await askOperator(context, folder);
}

/** @throws UserError when something could not be proven gone, or the stop may not outlive a power loss */
async function emergencyStop(context: Context, folder: WorkspaceFolder, deps: StopDeps): Promise<void> {
  const { clock } = deps;
  const startedMs = clock.elapsed();
  // The latch first: from here on nothing starts, whoever is alive. A full disk must not keep anything alive, though.
  const latch = await engage(folder.stopLatch, deps);
  const { operator, left } = await endEverything(folder, { clock, latched: latch.isSeen });
  const ms = Math.round(clock.elapsed() - startedMs);
  if (left.length === 0 && operator.is !== "elsewhere" && operator.is !== "unknown") {
    context.out(
      `Stopped in ${ms} ms: no session, tool, check or request is left, by two scans of all processes. All state is kept; \`bosun resume\` goes on.`,
    );
  }
  if (operator.is === "ended") {
    context.out(
      `The operator (process ${operator.pid}) gave no answer and was ended too. After \`bosun resume\`, start it again with \`bosun up\`.`,
    );
  }
  const original = originalOf(folder);
  if (original !== undefined)
    context.note(
      `${folder.repository} is a copy of ${repositoryOf(original)}: what runs there has a stop of its own, and goes on.`,
    );
  // What works in the checkouts, and records what is kept of them, is the original's.
  else if (left.length === 0 && (operator.is === "none" || operator.is === "ended"))
    await keepWork(context, folder, clock);
  const failure = await latch.failure();
  if (failure !== undefined)
    throw new UserError(
      `The stop is not safe on the disk (${failure}): touch ${folder.stopLatch} before you start an operator, or it goes on.`,
    );
  if (operator.is === "unknown")
    throw new UserError(
      `Whether an operator runs can't be told (${operator.why}). What bears this workspace's mark is ended; mend that, and run it again.`,
    );
  if (operator.is === "elsewhere")
    throw new UserError(
      "The operator runs on another machine or in another container. What it started ends itself within a second, which can't be proven from here: run this there too.",
    );
  if (left.length > 0)
    throw new UserError(`Still alive: ${left.join(", ")}. Run it again, or end them by hand.`);
}

/** A living operator does it by itself, and so does the next one. */
async function keepWork(context: Context, folder: WorkspaceFolder, clock: Clock): Promise<void> {
  try {
    // Loaded after everything is ended: it is much, and nothing that is to end waits for it.
    const { keepAlone } = await import("../stop/keep-alone.ts");
    const done = await keepAlone(folder, clock);
    const count = done?.kept.length ?? 0;
    if (count > 0)
      context.out(
        `Unfinished work of ${count} ${count === 1 ? "session" : "sessions"} is kept, as it is in its checkout, in refs/bosun/wip/ too.`,
      );
    for (const problem of done?.problems ?? []) context.note(`Not kept beside its checkout: ${problem}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.note(`Unfinished work is in its checkouts alone, until the next operator starts: ${why}`);
  }
}

interface Latched {
  /** Everybody sees the latch from now on. */
  isSeen: boolean;
  /** Why it may not outlive a power loss; undefined when it does. */
  failure(): Promise<string | undefined>;
}

/** Resolves as soon as the latch is seen or can't be made: what is to end must not wait for a slow disk. */
async function engage(path: string, { clock, fs }: StopDeps): Promise<Latched> {
  const seen = Promise.withResolvers<true>();
  const safe = fileStopLatch(path, fs)
    .engage("bosun stop --emergency", () => seen.resolve(true))
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  const isSeen = await Promise.race([seen.promise, safe.then((failure) => failure === undefined)]);
  return {
    isSeen,
    async failure() {
      const limit = new AbortController();
      const late = clock.sleep(latchLimitMs, limit.signal).then(
        () => `not written in ${latchLimitMs / 1000} s`,
        () => undefined,
      );
      const first = await Promise.race([safe, late]);
      limit.abort();
      return first;
    },
  };
}

/** Asks the operator to end: turns finish and work is saved. */
async function askOperator(context: Context, folder: WorkspaceFolder): Promise<void> {
  const holder = readHolder(folder);
  if (holder === undefined || holder.place !== pidSpace() || !(await isAlive(holder))) {
    throw new UserError(
      `No operator of ${folder.repository} runs on this machine. To end what it may have left: bosun stop --emergency`,
    );
  }
  const atWork = await sessionsAtWork(folder);
  process.kill(holder.pid, "SIGINT");
  // A suspended one, as by Ctrl-Z, hears of it only once it goes on.
  process.kill(holder.pid, "SIGCONT");
  const what =
    atWork === 0
      ? "no session is at work."
      : "turns finish and work is saved. At once: bosun stop --emergency";
  context.out(`Asked the operator (process ${holder.pid}) to end: ${what}`);
}
