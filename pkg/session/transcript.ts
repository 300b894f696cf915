import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import { syncDirectory, writeAll } from "../storage/blocking-files.ts";
import type { BlockingFileCalls } from "../storage/file-calls.ts";
import type { ContentBlock } from "./runner/blocks.ts";
import type { Outcome } from "./sessions.ts";

/** One line of a transcript, in the order things happened. */
export type Entry =
  /**
   * A message of the operator that opens a run. `head` is the checkout's commit at that moment, if it has one;
   * `checkout`, in the first one, which checkout that was.
   */
  | { type: "message"; run: number; text: string; head?: string; checkout?: string }
  /** The checkout was lost and made again: from here on it is the one called `checkout`. */
  | { type: "remade"; checkout: string; text: string }
  /** A run that had failed goes on; its limits count from here. */
  | { type: "restart"; text: string }
  /** The runner asks the model to go on. */
  | { type: "nudge"; why: "Silent" | "CutShort"; text: string }
  /** A complete turn of the model. */
  | { type: "assistant"; content: readonly ContentBlock[]; stopReason: string; inputTokens: number }
  /** A turn that broke off, or of which no answer is known; it was asked again. */
  | { type: "lost"; why: string }
  /** A tool call is about to start. */
  | { type: "intended"; call: string; tool: string }
  /** A tool call ended, or its end will never be known. */
  | { type: "done"; call: string; content: string; isError: boolean; taskDone?: string; outcome?: Outcome };

export type StampedEntry = Entry & { at: string };

/**
 * A session's transcript: written ahead, one JSON line an entry. An entry is on disk when `append` returns, so
 * whatever it announces may only happen then.
 */
export interface Transcript {
  readonly entries: readonly StampedEntry[];
  append(entry: Entry): void;
  close(): void;
}

/**
 * Opens a transcript, or makes an empty one. A last line that a crash tore is cut off; what is there is on disk then.
 *
 * @param now - wall time in milliseconds, for the `at` of each line
 * @throws Error naming the line when one before the last is damaged
 */
export function openTranscript(
  path: string,
  now: () => number,
  calls: BlockingFileCalls = nodeFs,
): Transcript {
  const file = calls.openSync(path, "a", 0o600);
  let failure: unknown;
  try {
    const { entries, size, lastAt } = read(calls.readFileSync(path), path);
    calls.ftruncateSync(file, size);
    persist(calls, path, lastAt);
    syncDirectory(dirname(path), calls);
    return {
      entries,
      append(entry) {
        if (failure !== undefined) throw failure;
        const stamped = { at: new Date(now()).toISOString(), ...entry };
        try {
          writeAll(calls, file, Buffer.from(`${JSON.stringify(stamped)}\n`), null);
          calls.fdatasyncSync(file);
        } catch (error) {
          // What reached the disk is unknown: nothing may follow it.
          failure = error;
          throw error;
        }
        entries.push(stamped);
      },
      close: () => calls.closeSync(file),
    };
  } catch (error) {
    calls.closeSync(file);
    throw error;
  }
}

/** The entries, the bytes that hold them, and where the last of them begins. */
function read(bytes: Buffer, path: string): { entries: StampedEntry[]; size: number; lastAt: number } {
  const entries: StampedEntry[] = [];
  let size = 0;
  let lastAt = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, size)) {
    const entry = parse(bytes.toString("utf8", size, end));
    if (entry instanceof Error) {
      if (end + 1 === bytes.length) break;
      throw new Error(
        `${path}:${entries.length + 1} is damaged. Restore the line, or cut the file before it.`,
        { cause: entry },
      );
    }
    entries.push(entry);
    lastAt = size;
    size = end + 1;
  }
  return { entries, size, lastAt };
}

const newline = 0x0a;

function parse(line: string): StampedEntry | Error {
  try {
    return JSON.parse(line) as StampedEntry;
  } catch (error) {
    return error as Error;
  }
}

/**
 * Writes the end of a file from `from` on once more, and syncs it: the last host may have ended before it was synced,
 * or because it could not be; after a failed sync a system may never write what it shows. See `FileSystem.persist`.
 */
function persist(calls: BlockingFileCalls, path: string, from: number): void {
  const file = calls.openSync(path, "r+");
  try {
    writeAll(calls, file, calls.readFileSync(path).subarray(from), from);
    calls.fdatasyncSync(file);
  } finally {
    calls.closeSync(file);
  }
}
