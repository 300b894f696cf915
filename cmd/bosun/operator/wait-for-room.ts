/** The wait of an operator whose disk is full: nothing runs in its process but this. */
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { type DiskRoom, roomIn, takesBytes } from "../../../pkg/system/disk-room.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { EarlierLock } from "./lock.ts";
import { beatMs } from "./lock-holder.ts";

/** It goes on when each disk takes so many, in bytes: enough for an operator not to be ended again at once. */
export const roomBytes = 32_000_000;
/** The same for files that can still be made. */
export const roomFiles = 1_000;
/** How often the person is told again, in milliseconds: what is printed into a file of a full disk is lost. */
const reminderMs = 600_000;

export interface WaitForRoomOptions {
  /** Written to by the operator. Absolute; the disks of missing ones are those of what is above them. */
  folders: readonly string[];
  /** What this process still holds from before. */
  earlier: EarlierLock | undefined;
  /** It waits no less, in milliseconds. */
  pauseMs: number;
  clock: Clock;
  signal: AbortSignal;
  note(line: string): void;
  /** Told once, if it has to wait: why. */
  onWait?(message: string): void;
  /** Absent: the real one. */
  disk?: { roomIn(folder: string): DiskRoom; takesBytes(folder: string, bytes: number): Promise<boolean> };
}

/**
 * Resolves when there is room again, and nobody holds the lock for this process any more.
 *
 * @throws `signal.reason` when aborted; what `earlier.beat` throws when another holds the lock
 */
export async function waitForRoom({
  folders,
  earlier,
  pauseMs,
  clock,
  signal,
  note,
  onWait,
  disk = { roomIn, takesBytes },
}: WaitForRoomOptions): Promise<void> {
  const startedMs = clock.elapsed();
  let toldMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    earlier?.beat();
    const waitedMs = clock.elapsed() - startedMs;
    const full = folders.find((folder) => !isEnough(disk.roomIn(folder)));
    if (full === undefined && waitedMs >= pauseMs && (await allTake()) && letGo()) {
      note(`There is room on the disk again: the operator goes on after ${Math.ceil(waitedMs / 1000)} s.`);
      return;
    }
    if (clock.elapsed() - toldMs >= reminderMs) {
      const folder = full ?? folders[0] ?? "";
      const message =
        `${lackIn(folder, disk.roomIn(folder))} The operator waits and spends nothing, and goes on by itself once there is ` +
        `${roomInWords}.`;
      note(`${message} Ctrl-C ends it.`);
      if (toldMs === Number.NEGATIVE_INFINITY) onWait?.(message);
      toldMs = clock.elapsed();
    }
    await clock.sleep(beatMs, signal);
  }

  async function allTake(): Promise<boolean> {
    for (const folder of folders) if (!(await disk.takesBytes(folder, roomBytes))) return false;
    return true;
  }

  /** The start that follows takes the lock as any other does. */
  function letGo(): boolean {
    try {
      earlier?.release();
      return true;
    } catch {
      // The disk is full again: it goes on waiting.
      return false;
    }
  }
}

/** Folders of the disks that an operator writes to: what it knows of the objects, and what lies in its folder of state. */
export function disksOf({ operator, gateway }: WorkspaceFolder): readonly string[] {
  return [operator, gateway];
}

/** For people, at the end of a sentence. */
export const roomInWords = `room for ${megabytes(roomBytes)} there`;

export function isEnough({ bytes, files }: DiskRoom): boolean {
  return bytes >= roomBytes && files >= roomFiles;
}

/** A sentence on the disk of `folder`. */
export function lackIn(folder: string, { bytes, files }: DiskRoom): string {
  if (isEnough({ bytes, files }))
    return `The disk of ${folder} took no more, though it says that ${megabytes(bytes)} are free.`;
  const left = bytes < roomBytes ? `${megabytes(bytes)} are free` : `${files} more files can be made`;
  return `The disk of ${folder} is full: ${left}.`;
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 100_000) / 10} MB`;
}
