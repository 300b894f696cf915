/** Reads a log back: the newest snapshot, then every segment since, up to where the last write was torn. */
import { join } from "node:path";
import { readJson } from "../../encoding/json.ts";
import { TerminalError } from "../../runtime/errors.ts";
import type { FileSystem } from "../file-system.ts";
import type { RecentChange, Transaction } from "../storage.ts";
import { type Frame, type FrameScan, type ReadPayload, scanFrames } from "./frame.ts";
import { logFiles, segmentName } from "./log-files.ts";
import { readSnapshot } from "./snapshot.ts";
import { applyTransaction, emptyState, type ReadState } from "./state.ts";

/** So many of the last changes are kept for watches that go on after a restart. */
const recentMax = 4096;

/** How many bytes of each segment count, said by the one who wrote the next: what lies behind is nobody's. */
export type Seals = Record<string, number>;

export interface SegmentStart {
  seals: Seals;
}

export interface Recovered {
  state: ReadState;
  /** The last changes that the segments hold, oldest first. */
  recent: readonly RecentChange[];
  /** The greatest epoch found; 0 in a new log. */
  epoch: number;
  /** Every segment that no start frame has sealed yet: its bytes that count, and where the last frame of them begins. */
  unsealed: readonly { sequence: number; size: number; lastAt: number }[];
  /** Torn writes, never acknowledged. */
  tails: readonly { sequence: number; offset: number; bytes: Buffer }[];
  /** Bytes of segments that were read, and in how many. */
  size: number;
  segments: number;
  /** Bytes of the snapshot that they follow; 0 without one. */
  snapshotSize: number;
}

interface Segment {
  sequence: number;
  path: string;
  bytes: Buffer;
  scan: FrameScan;
}

/**
 * Changes nothing.
 *
 * @param read - of transactions and snapshots
 * @throws TerminalError when a file is missing, damaged elsewhere than at the tail, or written by a stale owner
 */
export async function recover(
  fs: FileSystem,
  directory: string,
  read: ReadPayload = readJson,
): Promise<Recovered> {
  const { segments: sequences, snapshots } = logFiles((await fs.names(directory)) ?? []);
  const snapshot = snapshots.at(-1);
  const base = snapshot === undefined ? undefined : await readSnapshot(fs, directory, snapshot, read);
  const segments = await readSegments(fs, directory, snapshot, sequences);

  const seals = sealsOf(segments);
  const state: ReadState = base?.state ?? emptyState();
  let epoch = base?.epoch ?? 0;
  const unsealed: { sequence: number; size: number; lastAt: number }[] = [];
  const tails: { sequence: number; offset: number; bytes: Buffer }[] = [];
  const recent: RecentChange[] = [];
  for (const [index, segment] of segments.entries()) {
    const sealed = seals[segment.sequence];
    // What lies behind a seal is nobody's, and hardly ever there.
    const isWhole = sealed === undefined || sealed === segment.bytes.length;
    const scan = isWhole ? segment.scan : scanFrames(segment.bytes.subarray(0, sealed));
    if (sealed !== undefined) {
      if (scan.damage !== undefined || scan.size !== sealed) {
        throw damagedSegment(segment.path, scan.size, scan.damage ?? `it should have ${sealed} bytes`);
      }
    } else {
      const last = segments.slice(index + 1).every((later) => later.scan.frames.length === 0);
      if (scan.damage !== undefined) {
        if (scan.continues || !last) throw damagedSegment(segment.path, scan.size, scan.damage);
        tails.push({
          sequence: segment.sequence,
          offset: scan.size,
          bytes: segment.bytes.subarray(scan.size),
        });
      }
      unsealed.push({ sequence: segment.sequence, size: scan.size, lastAt: scan.lastAt });
    }
    for (const frame of scan.frames) {
      if (frame.epoch < epoch || frame.revision < state.revision)
        throw staleFrame(segment.path, frame, epoch, state);
      epoch = frame.epoch;
      replay(state, frame, { recent, read });
    }
  }
  const size = segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return {
    ...{ state, recent: recent.slice(-recentMax), epoch, unsealed, tails, size },
    ...{ segments: segments.length, snapshotSize: base?.size ?? 0 },
  };
}

async function readSegments(
  fs: FileSystem,
  directory: string,
  snapshot: number | undefined,
  found: readonly number[],
): Promise<Segment[]> {
  const segments: Segment[] = [];
  // Without any the log is new. Behind a snapshot its own segment is always there.
  const last = Math.max(found.at(-1) ?? 0, snapshot ?? 0);
  for (let sequence = snapshot ?? 1; sequence <= last; sequence += 1) {
    const path = join(directory, segmentName(sequence));
    const bytes = await fs.read(path);
    if (bytes === undefined) throw damagedSegment(path, 0, "the file is gone");
    segments.push({ sequence, path, bytes, scan: scanFrames(bytes) });
  }
  return segments;
}

function sealsOf(segments: readonly Segment[]): Seals {
  const seals: Seals = {};
  for (const { scan } of segments) {
    const start = scan.frames[0];
    if (start?.type === "segmentStart")
      Object.assign(seals, (JSON.parse(start.payload) as SegmentStart).seals);
  }
  return seals;
}

function replay(
  state: ReadState,
  frame: Frame,
  { recent, read }: { recent: RecentChange[]; read: ReadPayload },
): void {
  if (frame.type !== "transactions") return;
  for (const transaction of read(frame.payload) as Transaction[]) {
    applyTransaction(state, transaction, transaction.changes, (change, previous) =>
      recent.push({ ...change, previous: previous?.object }),
    );
  }
  if (recent.length > recentMax * 2) recent.splice(0, recent.length - recentMax);
}

function damagedSegment(path: string, offset: number, why: string): TerminalError {
  return new TerminalError(
    "StorageDamaged",
    `The log file ${path} is damaged at byte ${offset}: ${why}. Acknowledged writes follow it, so it is not a torn ` +
      "tail, and nothing was changed. Restore the folder it is in from a backup. Without one, keep a copy of the " +
      `folder, cut the file with \`truncate -s ${offset} ${path}\` and move the segments with higher numbers aside: ` +
      "every write after that point is then lost.",
  );
}

function staleFrame(path: string, frame: Frame, epoch: number, state: ReadState): TerminalError {
  return new TerminalError(
    "StorageDamaged",
    `The log file ${path} has a record of epoch ${frame.epoch} at revision ${frame.revision} behind one of epoch ` +
      `${epoch} at revision ${state.revision}: two operators wrote to it, or it was put together from two copies. ` +
      "Nothing was changed. Stop the other operator, and restore the folder from a backup.",
  );
}
