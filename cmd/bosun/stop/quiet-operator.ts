/** Sees to it that the operator starts nothing more: it is told of the stop, or ended. */
import path from "node:path";
import { killProcess } from "../../../pkg/gateway/end-process.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import { heldMs } from "../operator/lock-holder.ts";
import { type Holder, lockTerms } from "../operator/lock-terms.ts";
import { originalOf } from "../operator/state-directory.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { tellOfStop } from "./stop-notice.ts";

/** What became of the operator. Only `heard`, `none` and `ended` prove that it starts nothing. */
export type OperatorEnd =
  | { is: "none" }
  /** It lives and heeds the stop. */
  | { is: "heard" }
  /** It was silent and was killed. */
  | { is: "ended"; pid: number }
  /** It was silent, was killed, and is still there. */
  | { is: "alive"; pid: number }
  /** Another kernel or container has it, and what it runs can't be seen from here. */
  | { is: "elsewhere" }
  /** Who holds the lock can't be read, and nobody answers. */
  | { is: "unknown"; why: string };

/**
 * An operator has this many looks' time to answer, 200 ms in all on a machine that is not starved: on one that is, a
 * look takes longer here as it does there, so that what merely waits for its turn is not taken for hung.
 */
const looks = 20;
const lookMs = 10;
/** SIGKILL is not refused; a process that a disk holds goes once the disk answers. In milliseconds. */
const killLimitMs = 10_000;

/** @param ask - false ends it without asking */
export async function quietOperator(
  folder: WorkspaceFolder,
  { clock, ask }: { clock: Clock; ask: boolean },
): Promise<OperatorEnd> {
  const lock = lookAtLock(folder);
  const heard = ask && (await hears(folder.socket, clock));
  if (lock.why !== undefined) return heard ? { is: "heard" } : { is: "unknown", why: lock.why };
  const { holder } = lock;
  if (holder !== undefined && holder.place !== pidSpace())
    return clock.now() - holder.heartbeatMs < heldMs ? { is: "elsewhere" } : { is: "none" };
  if (heard) return { is: "heard" };
  if (holder === undefined || !(await isAlive(holder))) return { is: "none" };
  const limit = new AbortController();
  const gone = await Promise.race([
    killProcess(holder, clock, limit.signal).then(() => true),
    clock.sleep(killLimitMs, limit.signal).then(
      () => false,
      () => true,
    ),
  ]);
  limit.abort();
  return { is: gone ? "ended" : "alive", pid: holder.pid };
}

/** What can't be read must not keep a stop from ending all else. */
function lookAtLock(folder: WorkspaceFolder): { holder?: Holder | undefined; why?: string } {
  try {
    return { holder: readHolder(folder) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/**
 * Who holds the lock; undefined where nobody does, where a power loss has torn its file, which ended its writer too, and in a
 * copy of another workspace, whose operator that file names.
 */
export function readHolder(folder: WorkspaceFolder): Holder | undefined {
  const terms = lockTerms(path.join(folder.operator, "lock"));
  const holder = terms.holder(terms.newest());
  return holder === undefined || holder.isReleased || originalOf(folder) !== undefined ? undefined : holder;
}

async function hears(socket: string, clock: Clock): Promise<boolean> {
  const seen = { isAsked: false, hasHeard: false };
  const over = new AbortController();
  for (let look = 0; look < looks && !seen.hasHeard; look += 1) {
    if (!seen.isAsked) {
      seen.isAsked = true;
      tellOfStop(socket, over.signal).then(
        () => {
          seen.hasHeard = true;
        },
        () => {
          // One that does not listen yet, while it starts, is asked again.
          seen.isAsked = false;
        },
      );
    }
    await clock.sleep(lookMs);
  }
  over.abort();
  return seen.hasHeard;
}
