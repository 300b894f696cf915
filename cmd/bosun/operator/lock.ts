/**
 * One operator a workspace. Who takes the lock takes the next number of its folder, which the file system gives to one
 * alone; the greatest number holds. The socket in `.bosun/` leads to the holder.
 */
import { chmodSync, existsSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import { beatMs, type HolderWords, heldMs, refuseHeld } from "./lock-holder.ts";
import { type Holder, lockTerms } from "./lock-terms.ts";

export interface LockOptions {
  folder: string;
  /** Name in `folder` of the socket that clients look for. */
  socket: string;
  server: Server;
  clock: Clock;
  /** An operator by default. */
  words?: HolderWords;
  /** Told when it can't be seen any more who holds it, and when it can again. */
  note?(line: string): void;
}

const operator: HolderWords = {
  name: "An operator",
  place: "this workspace",
  advice: "`bosun status` shows what it does; stop it with Ctrl-C where it runs, or with `bosun stop`.",
};

export interface Lock {
  /** Grows with each holder, and is never given twice: what tells a stale one elsewhere. */
  readonly term: number;
  /**
   * Whether nobody has taken it since. Costs a look at a folder.
   *
   * @throws TransientError where that can't be seen: what needs the lock waits
   */
  isHeld(): boolean;
  release(): void;
}

/**
 * Takes the lock of `folder`. From then on `socket` leads to `server`.
 *
 * @param onLost - told once when another has taken it: nothing may be written any more. With the reason where that could
 *   not be seen for so long that another may have
 * @throws UserError when another holds it
 */
export async function takeLock(
  { folder, socket, server, clock, words = operator, note = () => {} }: LockOptions,
  onLost: (unseen?: Error) => void,
): Promise<Lock> {
  const terms = lockTerms(join(folder, "lock"));
  const known = join(folder, socket);
  const { number, me } = await take();
  terms.removeBefore(number);
  // Not by its number alone: where the folder was taken away, that is given once more.
  const own = join("lock", `${number}.${me.term}.sock`);
  await listen(server, socketPath(join(folder, own)));
  show();
  const stopped = new AbortController();
  void keep();
  return {
    term: me.term,
    isHeld,
    release() {
      stopped.abort();
      server.close();
      server.closeAllConnections();
      rmSync(join(folder, own), { force: true });
      if (!isHeld()) return;
      if (linkIn(known) === own) rmSync(known, { force: true });
      // Last, since another may take it from here on. The file stays, so that the next number is greater.
      terms.write(number, { ...me, heartbeatMs: clock.now(), isReleased: true });
    },
  };

  async function take(): Promise<{ number: number; me: Holder }> {
    const pid = process.pid;
    const startTime = (await startTimeOf(pid)) ?? "";
    for (;;) {
      const last = await refuseHeld({ terms, socket: socketPath(known), clock }, words);
      const heartbeatMs = clock.now();
      const term = Math.max((terms.holder(last)?.term ?? 0) + 1, Math.floor(heartbeatMs / 1000));
      const me: Holder = { pid, startTime, place: pidSpace(), term, heartbeatMs };
      if (!terms.take(last + 1, me)) continue;
      if (terms.newest() === last + 1) return { number: last + 1, me };
      // It was free because somebody quicker had taken it, another the next, and put it away.
      terms.remove(last + 1);
    }
  }

  function isHeld(): boolean {
    try {
      return terms.newest() === number && isMine(terms.holder(number));
    } catch (cause) {
      const why = (cause as Error).message;
      throw new TransientError("LockUnseen", `Who holds ${words.place} can't be seen (${why}).`, { cause });
    }
  }

  /** What was torn is put right by the next beat. */
  function isMine(holder: Holder | undefined): boolean {
    return holder === undefined || holder.term === me.term;
  }

  async function keep(): Promise<void> {
    let unseenSinceMs: number | undefined;
    while (!stopped.signal.aborted) {
      await clock.sleep(beatMs, stopped.signal).catch(() => undefined); // Released: the loop sees it.
      if (stopped.signal.aborted) return;
      try {
        if (!isHeld()) return onLost();
        if (unseenSinceMs !== undefined) note(`Who holds ${words.place} can be seen again: it goes on.`);
        unseenSinceMs = undefined;
      } catch (error) {
        const { message } = error as Error;
        if (unseenSinceMs === undefined)
          note(
            `Warning: ${message} Nothing is begun until it can; in ${heldMs / 1000} s, when others may take it, this process ends.`,
          );
        unseenSinceMs ??= clock.elapsed();
        if (clock.elapsed() - unseenSinceMs >= heldMs) return onLost(error as Error);
        continue;
      }
      try {
        terms.write(number, { ...me, heartbeatMs: clock.now() });
        show();
      } catch {
        // A full disk, perhaps: the next beat tries again, and whoever takes the lock meanwhile is seen.
      }
    }
  }

  /** Also puts right what a stale holder, or a person, made of it. */
  function show(): void {
    if (linkIn(known) === own) return;
    rmSync(join(folder, `${own}.link`), { force: true });
    symlinkSync(own, join(folder, `${own}.link`));
    renameSync(join(folder, `${own}.link`), known);
  }
}

/** What a process still holds that has started again in its own place: a file that names it, and no socket. */
export interface EarlierLock {
  /** Gives a sign of life. @throws Error when another has taken the lock, or nobody has it any more */
  beat(): void;
  /** @throws what the disk said */
  release(): void;
}

/** @returns undefined where this process holds nothing in `folder` */
export async function earlierLock(
  folder: string,
  { clock, lost }: { clock: Clock; lost: () => Error },
): Promise<EarlierLock | undefined> {
  const files = join(folder, "lock");
  if (!existsSync(files)) return undefined;
  const terms = lockTerms(files);
  const number = terms.newest();
  const holder = terms.holder(number);
  if (holder === undefined || holder.isReleased || holder.pid !== process.pid) return undefined;
  if (holder.place !== pidSpace() || holder.startTime !== (await startTimeOf(process.pid))) return undefined;
  return {
    beat() {
      if (terms.newest() !== number) throw lost();
      try {
        terms.write(number, { ...holder, heartbeatMs: clock.now() });
      } catch {
        // A full disk need not take even this. Where its process can be seen, it holds all the same.
      }
    },
    release: () => terms.write(number, { ...holder, heartbeatMs: clock.now(), isReleased: true }),
  };
}

function linkIn(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Not there, or no link: it leads nowhere that counts.
    return undefined;
  }
}

/** Not by a umask, which is the whole process's: what its other threads make at that moment would get it too. */
function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, () => {
      server.off("error", reject);
      // Others of this machine must not steer it. They can't reach its folder either.
      chmodSync(socket, 0o600);
      resolve();
    });
  });
}
