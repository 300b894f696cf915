/** Whether somebody holds a lock, and how to say so to a person who wanted it. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { pidSpace, whereabouts } from "../../../pkg/system/pid-space.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { UserError } from "../user-error.ts";
import type { Holder, Terms } from "./lock-terms.ts";

/** How often a holder renews its heartbeat, in milliseconds. */
export const beatMs = 2_000;
/** A heartbeat younger than this holds where its process can't be looked for, in milliseconds. */
export const heldMs = 30_000;
/** An older one is watched for this long before it counts as dead, in milliseconds: clocks differ between machines. */
const watchMs = beatMs + 1_000;
/** A file that was just made may still be written, in milliseconds. */
const tornMs = 1_000;
/** How often such a one is looked at, in milliseconds. */
const lookMs = 50;

/** How a person calls who holds the lock, and what they can do about it. */
export interface HolderWords {
  /** Begins a sentence. */
  readonly name: string;
  readonly place: string;
  readonly advice: string;
}

/**
 * Returns when nobody holds the lock: the last holder let go, its process is gone, or it can't be seen from here and
 * has given no sign of life for `heldMs`. One that lives on this machine holds, however long it has been silent: it may
 * be suspended and go on.
 *
 * @param socket - where the holder listens, whatever the files say
 * @returns the last holder's number; 0 for none
 * @throws UserError when somebody holds it, saying who, and how to look
 */
export async function refuseHeld(
  { terms, socket, clock }: { terms: Pick<Terms, "newest" | "holder">; socket: string; clock: Clock },
  words: HolderWords,
): Promise<number> {
  const { name, place, advice } = words;
  const { number, holder } = await lastHolder(terms, clock);
  const isListening = await listens(socket);
  if (holder === undefined || holder.isReleased) {
    if (isListening) throw new UserError(`${name} already runs here. ${advice}`);
    return number;
  }
  const silentMs = clock.now() - holder.heartbeatMs;
  const where = whereabouts(holder.place, pidSpace());
  if (where !== "elsewhere") {
    const lives = where === "here" && (await startTimeOf(holder.pid)) === holder.startTime;
    if (lives) throw new UserError(heldHere(holder.pid, silentMs, words));
    if (!isListening) return number;
  }
  if (isListening)
    throw new UserError(
      `${name} already runs in another container on this folder (process ${holder.pid} there). ${advice}`,
    );
  if (silentMs < heldMs)
    throw new UserError(
      `${name} on another machine or in another container held ${place} a moment ago. ` +
        `Stop it, or wait ${Math.ceil((heldMs - silentMs) / 1000)} s.`,
    );
  await clock.sleep(watchMs);
  const after = await lastHolder(terms, clock);
  if (after.number === number && after.holder?.heartbeatMs === holder.heartbeatMs) return number;
  throw new UserError(
    `${name} on another machine or in another container holds ${place}, and its clock is ` +
      `${Math.round(silentMs / 1000)} s behind the one here. Stop it there; set the clocks.`,
  );
}

/** No holder where there was never one, or its file was torn by a power loss, which ended its process too. */
async function lastHolder(
  terms: Pick<Terms, "newest" | "holder">,
  clock: Clock,
): Promise<{ number: number; holder: Holder | undefined }> {
  const endMs = clock.elapsed() + tornMs;
  for (;;) {
    const number = terms.newest();
    const holder = terms.holder(number);
    if (number === 0 || holder !== undefined || clock.elapsed() > endMs) return { number, holder };
    await clock.sleep(lookMs);
  }
}

function heldHere(pid: number, silentMs: number, { name, place, advice }: HolderWords): string {
  const end = `\`kill -9 ${pid}\` ends it, and nothing is lost`;
  if (isSuspended(pid))
    return `${name} (process ${pid}) holds ${place} and is suspended, as by Ctrl-Z. \`kill -CONT ${pid}\` lets it go on; ${end}.`;
  if (silentMs >= heldMs)
    return `${name} (process ${pid}) holds ${place} and has not moved for ${Math.round(silentMs / 1000)} s. ${end}.`;
  return `${name} already runs here (process ${pid}). ${advice}`;
}

function isSuspended(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  } catch {
    // No /proc here, or the process ended this moment: then it is told as one that runs, and trying again tells more.
    return false;
  }
}

/** Whether a process has the socket open. A suspended one has: the kernel takes connections for it. */
function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", ({ code }: NodeJS.ErrnoException) => {
      // Anything else (no permission, a full queue) does not say that nobody is there.
      resolve(!["ENOENT", "ECONNREFUSED", "ENOTSOCK"].includes(code ?? ""));
    });
  });
}
