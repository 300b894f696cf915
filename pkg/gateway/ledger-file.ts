/** The ledger's bytes: one JSON object a line, and how a line that a crash tore is told from damage. */
import { crc32 } from "node:zlib";
import type { FileSystem } from "../storage/file-system.ts";
import { hasSum, withSum } from "./checked-line.ts";
import { type Prefix, readCheckpoint } from "./ledger-checkpoint.ts";
import { isLine } from "./ledger-line-shape.ts";
import { LedgerError, type Line } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";

/** What a line says beside its step. */
export interface WrittenLine {
  /** The first line of the same write; absent for that one itself. */
  with?: number;
  /** CRC-32 of all of the line before it, in eight hexadecimal digits; absent in lines of before it was written. */
  sum?: string;
}

/** The first of `lines` as they are written at once: all that fit into `bytesMax`, and one at least. */
export function encodeLines(lines: readonly Line[], bytesMax: number): { text: Buffer; count: number } {
  const first = lines[0]?.seq;
  const texts: Buffer[] = [];
  let size = 0;
  for (const line of lines) {
    const written = line.seq === first ? line : { ...line, with: first };
    const text = Buffer.from(withSum(JSON.stringify(written)));
    if (texts.length > 0 && size + text.length > bytesMax) break;
    texts.push(text);
    size += text.length;
  }
  return { text: Buffer.concat(texts), count: texts.length };
}

export interface ReadLedger {
  /** Folded, where it was read from a checkpoint. */
  state: LedgerState;
  /** The bytes that hold it. */
  prefix: Prefix;
  /** What its checkpoint stands for, and the size of that, in bytes; 0 without one. */
  checkpoint: { bytes: number; size: number };
}

/**
 * Reads line by line, from the checkpoint on where there is one: a ledger outgrows what fits into one string.
 *
 * Of the last write a crash may have left any part. It was never acted upon, so what follows its first torn line is
 * left out; anywhere else a line that can't be read is damage.
 *
 * @throws LedgerError when the file is damaged
 */
export async function readLedger(fs: FileSystem, path: string): Promise<ReadLedger> {
  const checkpoint = await readCheckpoint(fs, path);
  if (checkpoint !== undefined) {
    const { state, bytes, crc, size } = checkpoint;
    try {
      return {
        state,
        prefix: await readBehind(fs, path, state, { bytes, crc }),
        checkpoint: { bytes, size },
      };
    } catch (error) {
      // Of damage the whole ledger tells: what stands behind a checkpoint may be about what was folded.
      if (!(error instanceof OtherPrefix || error instanceof LedgerError)) throw error;
    }
  }
  const state = new LedgerState();
  const prefix = await readBehind(fs, path, state, { bytes: 0, crc: 0 });
  return { state, prefix, checkpoint: { bytes: 0, size: 0 } };
}

/** The bytes that a checkpoint stands for are not those that it was made of. */
class OtherPrefix extends Error {
  override readonly name = "OtherPrefix";
}

/**
 * Applies to `state`, which the bytes `before` add up to, all lines behind them.
 *
 * @returns the bytes that hold all of it
 */
async function readBehind(fs: FileSystem, path: string, state: LedgerState, before: Prefix): Promise<Prefix> {
  let { bytes, crc } = before;
  let torn: Error | undefined;
  for await (const { bytes: read, lines } of wholeLines(piecesBehind(fs, path, before))) {
    let good = 0;
    for (const { text, size } of lines) {
      const line = parse(text);
      // Also behind one that is torn: of one write it would have been torn, too, or whole.
      if (line instanceof LedgerError) throw damaged(path, state, torn ?? line);
      if (line instanceof Error) torn ??= line;
      else if (torn === undefined) apply(state, line, path);
      else if ((line.with ?? line.seq) > state.seq + 1) throw damaged(path, state, torn);
      if (torn === undefined) good += size;
    }
    bytes += good;
    crc = crc32(read.subarray(0, good), crc);
  }
  return { bytes, crc };
}

/** @throws OtherPrefix when the file does not begin with the bytes `before` */
async function* piecesBehind(fs: FileSystem, path: string, before: Prefix): AsyncGenerator<Buffer> {
  let left = before.bytes;
  let crc = 0;
  for await (const piece of piecesOf(fs, path)) {
    const part = piece.subarray(0, left);
    left -= part.length;
    crc = crc32(part, crc);
    if (left === 0 && crc !== before.crc) throw new OtherPrefix();
    if (part.length < piece.length) yield piece.subarray(part.length);
  }
  if (left > 0) throw new OtherPrefix();
}

/** What is left of a damaged ledger: every whole line, and whether lines may be missing at its end. */
export async function readDamaged(
  fs: FileSystem,
  path: string,
): Promise<{ lines: Line[]; endIsLost: boolean }> {
  const lines: Line[] = [];
  let last = 0;
  let gapBytes = 0;
  let read = 0;
  let endsWhole = false;
  for await (const { lines: found } of wholeLines(piecesOf(fs, path))) {
    for (const { text, size } of found) {
      const line = parse(text);
      read += size;
      // Of a number that there is no room for in the bytes between, nothing can be believed.
      endsWhole = !(line instanceof Error) && isNext(line.seq, last, gapBytes);
      if (line instanceof Error || !endsWhole) {
        gapBytes += size;
        continue;
      }
      const { with: _, sum: __, ...step } = line;
      lines.push(step as Line);
      last = line.seq;
      gapBytes = 0;
    }
  }
  const size = (await fs.stat(path))?.size ?? 0;
  return { lines, endIsLost: !endsWhole || read < size };
}

/** No line is shorter. */
const lineBytesMin = 20;

function isNext(seq: number, last: number, gapBytes: number): boolean {
  return Number.isSafeInteger(seq) && seq > last && seq <= last + 1 + gapBytes / lineBytesMin;
}

interface WholeLine {
  /** Without its end. */
  text: string;
  /** In bytes, with its end. */
  size: number;
}

/** The lines that end, as many at once as a piece has, and their bytes. */
async function* wholeLines(
  pieces: AsyncIterable<Buffer>,
): AsyncGenerator<{ bytes: Buffer; lines: readonly WholeLine[] }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const size = all.lastIndexOf(0x0a) + 1;
    const bytes = all.subarray(0, size);
    yield { bytes, lines: linesOf(bytes) };
    rest = all.subarray(size);
  }
}

/** @param bytes - whole lines */
function linesOf(bytes: Buffer): readonly WholeLine[] {
  const all = bytes.toString("utf8");
  const texts = all.split("\n");
  texts.pop();
  // No byte makes more than one unit of text: where there are as many, each unit is a byte.
  if (all.length === bytes.length) return texts.map((text) => ({ text, size: text.length + 1 }));
  let start = 0;
  return texts.map((text) => {
    const end = bytes.indexOf(0x0a, start) + 1;
    const size = end - start;
    start = end;
    return { text, size };
  });
}

/** An error of the system's names the call that failed, and not always the file. */
async function* piecesOf(fs: FileSystem, path: string): AsyncGenerator<Buffer> {
  try {
    yield* fs.pieces(path);
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${path} can't be read: ${message}`, { cause }), { code });
  }
}

/** A LedgerError says that no crash can have torn it so: what is JSON was written whole. */
function parse(text: string): (Line & WrittenLine) | Error {
  let line: (Line & WrittenLine) | null;
  try {
    line = JSON.parse(text);
  } catch (cause) {
    return new Error(`${(cause as Error).message}.`, { cause });
  }
  if (typeof line?.seq !== "number") return new Error("It has no number.");
  if (line.sum !== undefined && !hasSum(text, line.sum)) return new LedgerError("Its checksum does not fit.");
  return isLine(line) ? line : new LedgerError("It lacks what a line of its step has.");
}

function apply(state: LedgerState, line: Line, path: string): void {
  try {
    state.apply(line);
  } catch (error) {
    throw damaged(path, state, error as Error);
  }
}

function damaged(path: string, state: LedgerState, cause: Error): LedgerError {
  return new LedgerError(
    `${path}, line ${state.seq + 1} is damaged: ${cause.message} Nothing is spent until the file is restored, or made anew from what can be proven: \`bosun budget rebuild\`.`,
    { cause },
  );
}
