/**
 * The storage that promise 2 stands on: a write-ahead log with group commit. While one group is being synced the
 * next one gathers; a group is one frame, one write and one fdatasync, then its commits resolve in order.
 */
import { join } from "node:path";
import { readJson } from "../../encoding/json.ts";
import { TerminalError } from "../../runtime/errors.ts";
import type { AppendFile, FileSystem } from "../file-system.ts";
import { replaceFile, temporaryPrefix } from "../replace-file.ts";
import type { Storage, StoredState } from "../storage.ts";
import { encodeFrame, type FrameType, type ReadPayload } from "./frame.ts";
import { cutName, directoryMode, fileMode, logFiles, segmentName, snapshotName } from "./log-files.ts";
import { recover, type Seals, type SegmentStart } from "./recover.ts";
import { writeSnapshot } from "./snapshot.ts";
import {
  applyTransaction,
  type EncodedTransaction,
  emptyState,
  encodeTransaction,
  type LogState,
  toStoredState,
} from "./state.ts";

export interface LogOptions {
  /** The log's own folder; created when missing. */
  directory: string;
  fs: FileSystem;
  /** Bytes after which a segment is followed by a new one; default 4 MiB. */
  segmentBytes?: number;
  /** Absent: `readJson`. */
  readPayload?: ReadPayload;
}

export interface Log extends Storage {
  /** Greater with each `open`; stamped on every record. 0 before. */
  readonly epoch: number;
}

/** Segments that a restart may have to read before a snapshot is due, however small they are. */
const segmentsWithoutSnapshotMax = 16;

interface Waiting {
  encoded: EncodedTransaction;
  resolve(): void;
  reject(error: unknown): void;
}

/** The log in `directory`. One process may have it open: a later one takes it over, and this one then fails. */
export function openLog({
  directory,
  fs,
  segmentBytes = 4 * 1024 * 1024,
  readPayload = readJson,
}: LogOptions): Log {
  const state: LogState = emptyState();
  let epoch = 0;
  let sequence = 0;
  let segment: AppendFile | undefined;
  let segmentSize = 0;
  let sizeSinceSnapshot = 0;
  let snapshotSize = 0;
  let segmentsSinceSnapshot = 0;
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let snapshotting: Promise<void> | undefined;
  let failure: unknown;

  return {
    get epoch() {
      return epoch;
    },

    async open(): Promise<StoredState> {
      if (segment !== undefined) throw new Error("The log is open already.");
      await fs.makeDirectory(directory, directoryMode);
      const before = logFiles((await fs.names(directory)) ?? []);
      sequence = (before.segments.at(-1) ?? 0) + 1;
      // The next segment's name is taken before anything is read: from here on an owner of the last one fails.
      segment = await fs.create(join(directory, segmentName(sequence)), fileMode);
      let stored: StoredState;
      try {
        await fs.syncDirectory(directory);
        stored = await load();
      } catch (error) {
        await segment.close();
        segment = undefined;
        await fs.remove(join(directory, segmentName(sequence)));
        throw error;
      }
      snapshotWhenDue();
      return stored;
    },

    commit(transaction) {
      return new Promise((resolve, reject) => {
        if (failure !== undefined || segment === undefined)
          return reject(failure ?? new Error("The log isn't open."));
        waiting.push({ encoded: encodeTransaction(transaction), resolve, reject });
        flushing ??= flush();
      });
    },

    async close() {
      await flushing;
      await snapshotting;
      failure ??= new TerminalError("StorageClosed", "The log is closed.");
      await segment?.close();
      segment = undefined;
    },
  };

  async function load(): Promise<StoredState> {
    const recovered = await recover(fs, directory, readPayload);
    const { revision, objects, files } = recovered.state;
    Object.assign(state, { revision, objects: new Map(objects), files: new Map(files) } satisfies LogState);
    epoch = recovered.epoch + 1;
    sizeSinceSnapshot = recovered.size;
    snapshotSize = recovered.snapshotSize;
    segmentsSinceSnapshot = recovered.segments;
    for (const { sequence, offset, bytes } of recovered.tails) {
      await replaceFile(fs, join(directory, cutName(sequence, offset)), [bytes], fileMode);
    }
    const before = recovered.unsealed.filter((segment) => segment.sequence !== sequence);
    for (const { sequence, size, lastAt } of before) {
      // Its writer may have ended before this was synced, or because it could not be. Now it counts.
      if (size > 0) await fs.persist(join(directory, segmentName(sequence)), { from: lastAt, to: size });
    }
    await startSegment(Object.fromEntries(before.map(({ sequence, size }) => [sequence, size])));
    await removeTemporary();
    await removeSuperseded();
    return toStoredState(recovered.state, recovered.recent);
  }

  /** Writes groups until none waits. Never rejects: a failure goes to those who wait, and stays. */
  async function flush(): Promise<void> {
    // The writes of one turn belong together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        if (failure !== undefined) throw failure;
        for (const { encoded } of group) applyTransaction(state, encoded.transaction, encoded.changes);
        await append("transactions", `[${group.map(({ encoded }) => encoded.json).join(",")}]`);
        await checkOwnership();
      } catch (error) {
        fail(error);
        for (const { reject } of group) reject(failure);
        continue;
      }
      for (const { resolve } of group) resolve();
      await rotateWhenDue();
    }
    // In the turn that saw nothing waiting: a commit made later must start anew.
    flushing = undefined;
  }

  async function append(type: FrameType, payload: string): Promise<void> {
    if (segment === undefined) throw new Error("The log isn't open.");
    const bytes = encodeFrame({ type, epoch, revision: state.revision, payload });
    await segment.write(bytes);
    await segment.datasync();
    segmentSize += bytes.length;
    sizeSinceSnapshot += bytes.length;
  }

  /**
   * A new owner creates a segment of a higher number before it reads this one. So if there is none after the sync, the
   * new owner will read what was synced; if there is one, nobody may be told that the write counts. Asked is for any
   * higher number, since an owner that slept for long finds the next segments gone, behind a snapshot of their states.
   */
  async function checkOwnership(): Promise<void> {
    const newest = logFiles((await fs.names(directory)) ?? []).segments.at(-1) ?? 0;
    if (newest === sequence) return;
    throw new TerminalError(
      "StorageTakenOver",
      newest > sequence
        ? `Another operator took over the log: ${directory} holds ${segmentName(newest)}. This one must end.`
        : `The log was removed while it was open: ${directory} holds nothing of it any more. Put it back before the next ` +
            "start, which begins anew without it.",
    );
  }

  async function rotateWhenDue(): Promise<void> {
    if (segmentSize < segmentBytes) return;
    try {
      const seals = { [sequence]: segmentSize };
      await segment?.close();
      segment = await fs.create(join(directory, segmentName(sequence + 1)), fileMode);
      sequence += 1;
      segmentsSinceSnapshot += 1;
      await startSegment(seals);
      await fs.syncDirectory(directory);
      snapshotWhenDue();
    } catch (error) {
      fail(error);
    }
  }

  async function startSegment(seals: Seals): Promise<void> {
    segmentSize = 0;
    await append("segmentStart", JSON.stringify({ seals } satisfies SegmentStart));
  }

  /** At a segment's start: `state` is then exactly what lies before it. */
  function snapshotWhenDue(): void {
    const due = sizeSinceSnapshot >= Math.max(segmentBytes, snapshotSize);
    if (snapshotting !== undefined || !(due || segmentsSinceSnapshot >= segmentsWithoutSnapshotMax)) return;
    sizeSinceSnapshot = 0;
    segmentsSinceSnapshot = 0;
    const copy = { revision: state.revision, objects: new Map(state.objects), files: new Map(state.files) };
    snapshotting = takeSnapshot({ sequence, epoch, state: copy })
      .catch(fail)
      .finally(() => {
        snapshotting = undefined;
      });
  }

  async function takeSnapshot(snapshot: Parameters<typeof writeSnapshot>[2]): Promise<void> {
    snapshotSize = await writeSnapshot(fs, directory, snapshot);
    await removeSuperseded();
  }

  /** What a crash left, and what an owner before this one may still be writing: its rename then fails. */
  async function removeTemporary(): Promise<void> {
    const names = (await fs.names(directory)) ?? [];
    await removeAll(names.filter((name) => name.startsWith(temporaryPrefix)));
  }

  /** What the newest snapshot stands for. */
  async function removeSuperseded(): Promise<void> {
    const { segments, snapshots } = logFiles((await fs.names(directory)) ?? []);
    const newest = snapshots.at(-1) ?? 0;
    await removeAll([
      ...snapshots.filter((sequence) => sequence < newest).map(snapshotName),
      ...segments.filter((sequence) => sequence < newest).map(segmentName),
    ]);
  }

  async function removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) await fs.remove(join(directory, name));
    if (names.length > 0) await fs.syncDirectory(directory);
  }

  function fail(error: unknown): void {
    failure ??= error;
  }
}
