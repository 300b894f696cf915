/**
 * What a ledger's lines add up to up to one of them, in a file beside it: a start reads the lines behind that one and
 * need not make those before it anew, of which a year has gigabytes.
 *
 * The ledger alone is what counts. A checkpoint says how many of its bytes it stands for and their checksum; where they
 * are others, or the checkpoint is damaged, another version's or missing, the whole ledger is read.
 */
import type { FileSystem } from "../storage/file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import { hasSum, withSum } from "./checked-line.ts";
import { LedgerState, type WrittenState } from "./ledger-state.ts";

/** The first bytes of a ledger: how many, and their CRC-32. */
export interface Prefix {
  bytes: number;
  crc: number;
}

export interface Checkpoint extends Prefix {
  state: LedgerState;
  /** Of the checkpoint itself, in bytes. */
  size: number;
}

/** Another one whenever what is written, or how lines are added up, changes. */
const version = 1;

interface Written extends Prefix {
  version: number;
  state: WrittenState;
}

function checkpointPath(ledger: string): string {
  return `${ledger}.checkpoint`;
}

/** Of `state`, which the ledger's first bytes add up to. */
export function encodeCheckpoint(state: LedgerState, { bytes, crc }: Prefix): Buffer {
  return Buffer.from(
    withSum(JSON.stringify({ version, bytes, crc, state: state.asJson() } satisfies Written)),
  );
}

/** Puts it beside `ledger`. What it stands for must be on disk. */
export async function writeCheckpoint(fs: FileSystem, ledger: string, text: Buffer): Promise<void> {
  await replaceFile(fs, checkpointPath(ledger), [text], 0o600);
}

/** Undefined where there is none that can be used, for whatever reason. */
export async function readCheckpoint(fs: FileSystem, ledger: string): Promise<Checkpoint | undefined> {
  try {
    const text = await fs.read(checkpointPath(ledger));
    if (text === undefined) return undefined;
    const line = text.toString("utf8").trimEnd();
    const { version: found, bytes, crc, state, sum } = JSON.parse(line) as Written & { sum: string };
    if (found !== version || !hasSum(line, sum)) return undefined;
    return { bytes, crc, state: LedgerState.fromJson(state), size: text.length };
  } catch {
    // The ledger has all of it.
    return undefined;
  }
}
