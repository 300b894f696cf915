import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import type { ContentBlock } from "./runner/blocks.ts";
import type { Outcome } from "./sessions.ts";

/** One line of a transcript, in the order things happened. */
export type Entry =
  /** A message of the operator that opens a run. `head` is the checkout's commit at that moment, if it has one. */
  | { type: "message"; run: number; text: string; head?: string }
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
 * Opens a transcript, or makes an empty one. A torn last line (the writer died in it) is cut off.
 *
 * @param now - wall time in milliseconds, for the `at` of each line
 * @throws Error naming the line when one before the last is damaged
 */
export function openTranscript(path: string, now: () => number): Transcript {
  const file = openSync(path, "a+", 0o600);
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) {
    ftruncateSync(file, Buffer.byteLength(whole));
    fdatasyncSync(file);
  }
  const entries = whole
    .split("\n")
    .slice(0, -1)
    .map((line, index) => parse(line, path, index + 1));
  return {
    entries,
    append(entry) {
      const stamped = { at: new Date(now()).toISOString(), ...entry };
      writeSync(file, `${JSON.stringify(stamped)}\n`);
      fdatasyncSync(file);
      entries.push(stamped);
    },
    close: () => closeSync(file),
  };
}

function parse(line: string, path: string, number: number): StampedEntry {
  try {
    return JSON.parse(line) as StampedEntry;
  } catch (error) {
    throw new Error(`${path}:${number} is damaged. Restore the line, or cut the file before it.`, {
      cause: error,
    });
  }
}
