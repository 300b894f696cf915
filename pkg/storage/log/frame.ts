/**
 * The bytes of the log. A file is a row of frames; a frame is what one sync made durable, so that only the last
 * one written can ever be torn.
 *
 * | offset | bytes | holds |
 * |---|---|---|
 * | 0 | 4 | the mark 0xF7 "BWL"; 0xF7 occurs in no UTF-8 text, so no payload contains it |
 * | 4 | 2 | format version, little endian as all numbers here |
 * | 6 | 2 | what the frame is |
 * | 8 | 4 | length of the payload |
 * | 12 | 4 | CRC-32 of the header with these four bytes zero, then of the payload |
 * | 16 | 8 | epoch of the writer |
 * | 24 | 8 | greatest revision given when the frame was written |
 * | 32 | | the payload: UTF-8 JSON, each change on a line of its own |
 */
import { crc32 } from "node:zlib";

const formatVersion = 1;

const frameTypes = { segmentStart: 1, transactions: 2, snapshotPart: 3, snapshotEnd: 4 } as const;
export type FrameType = keyof typeof frameTypes;

export interface Frame {
  type: FrameType;
  epoch: number;
  revision: number;
  /** UTF-8 JSON. */
  payload: string;
}

/**
 * Makes of a payload what was written, frozen or not. Whoever opens one log again and again in one process may hand out what
 * it made of the same text before.
 */
export type ReadPayload = (payload: string) => unknown;

/** Where reading a file's frames ended. */
export interface FrameScan {
  frames: readonly Frame[];
  /** Bytes that hold `frames`; less than the file's size when what follows is no frame. */
  size: number;
  /** Where the last of `frames` begins; 0 when there is none. */
  lastAt: number;
  /** Why the bytes at `size` are no frame; undefined when there are none. */
  damage: string | undefined;
  /** Whether a good frame follows the damage: then it isn't a torn tail. */
  continues: boolean;
}

const headerSize = 32;
const mark = Buffer.from([0xf7, 0x42, 0x57, 0x4c]);

export function encodeFrame({ type, epoch, revision, payload }: Frame): Buffer {
  const length = Buffer.byteLength(payload);
  // Every byte is written below.
  const bytes = Buffer.allocUnsafe(headerSize + length);
  mark.copy(bytes);
  bytes.writeUInt16LE(formatVersion, 4);
  bytes.writeUInt16LE(frameTypes[type], 6);
  bytes.writeUInt32LE(length, 8);
  bytes.writeUInt32LE(0, 12);
  bytes.writeBigUInt64LE(BigInt(epoch), 16);
  bytes.writeBigUInt64LE(BigInt(revision), 24);
  bytes.write(payload, headerSize);
  bytes.writeUInt32LE(crc32(bytes), 12);
  return bytes;
}

/** Reads frames from the start of `bytes` as far as they are good. */
export function scanFrames(bytes: Buffer): FrameScan {
  const frames: Frame[] = [];
  let size = 0;
  let lastAt = 0;
  while (size < bytes.length) {
    const read = readFrame(bytes, size);
    if (typeof read === "string")
      return { frames, size, lastAt, damage: read, continues: continuesAfter(bytes, size) };
    frames.push(read.frame);
    lastAt = size;
    size = read.end;
  }
  return { frames, size, lastAt, damage: undefined, continues: false };
}

/** The frame at `offset`, or why there is none. */
function readFrame(bytes: Buffer, offset: number): { frame: Frame; end: number } | string {
  if (bytes.length - offset < headerSize) return "the file ends within a frame's header";
  if (bytes.compare(mark, 0, mark.length, offset, offset + mark.length) !== 0) return "no frame begins here";
  const end = offset + headerSize + bytes.readUInt32LE(offset + 8);
  if (end > bytes.length) return "the file ends within a frame";
  if (checksum(bytes.subarray(offset, end)) !== bytes.readUInt32LE(offset + 12))
    return "the checksum does not match";
  const version = bytes.readUInt16LE(offset + 4);
  if (version !== formatVersion)
    return `format version ${version} is not ${formatVersion}, the one this release reads`;
  const code = bytes.readUInt16LE(offset + 6);
  const type = (Object.keys(frameTypes) as FrameType[]).find((name) => frameTypes[name] === code);
  if (type === undefined) return `frame type ${code} is unknown`;
  const frame = {
    type,
    epoch: Number(bytes.readBigUInt64LE(offset + 16)),
    revision: Number(bytes.readBigUInt64LE(offset + 24)),
    payload: bytes.toString("utf8", offset + headerSize, end),
  };
  return { frame, end };
}

function checksum(frame: Buffer): number {
  const header = Buffer.from(frame.subarray(0, headerSize));
  header.writeUInt32LE(0, 12);
  return crc32(frame.subarray(headerSize), crc32(header));
}

/** A frame of a newer format counts as good here: it must not be mistaken for a torn tail. */
function continuesAfter(bytes: Buffer, damagedAt: number): boolean {
  for (let at = bytes.indexOf(mark, damagedAt); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    if (bytes.length - at < headerSize) return false;
    const end = at + headerSize + bytes.readUInt32LE(at + 8);
    if (end <= bytes.length && checksum(bytes.subarray(at, end)) === bytes.readUInt32LE(at + 12)) return true;
  }
  return false;
}
