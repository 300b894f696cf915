/**
 * Makes of a log's payloads what `readJson` makes, out of what is in memory already: an operator that dies thirty times a
 * day reads the same changes each time. Every byte comes from the disk and was found and checked by the log's own reader; a
 * text that was read before says what it said, and a change that says what was written is that very change, which the
 * registry and all checks then see at once.
 */
import { sameJson } from "../../../pkg/api/same-json.ts";
import { readJson } from "../../../pkg/encoding/json.ts";
import type { Change, Transaction } from "../../../pkg/storage/storage.ts";

interface Written {
  change: Change;
  /** What it was read back from, once it was. */
  text: string | undefined;
}

/** How a line begins that holds a change and nothing else. */
const start = '{"revision":';

export class ReadBack {
  readonly #written = new Map<number, Written>();

  /** `change` was handed to the log. */
  written(change: Change): void {
    this.#written.set(change.revision, { change, text: undefined });
  }

  /** The change of that revision will hardly be read again. */
  forget(revision: number): void {
    this.#written.delete(revision);
  }

  /** For `openLog`. */
  readonly payload = (payload: string): unknown => {
    const changes: Change[] = [];
    // Where a change stood alone on its line, its number among them is left.
    const rest = payload.split("\n").map((line) => {
      if (!line.startsWith(start)) return line;
      const isLast = !line.endsWith(",");
      changes.push(this.#change(isLast ? line : line.slice(0, -1)));
      return `${changes.length - 1}${isLast ? "" : ","}`;
    });
    const withChanges = (part: { changes: (Change | number)[] }): unknown => ({
      ...part,
      changes: part.changes.map((at) => (typeof at === "number" ? changes[at] : at)),
    });
    const value = readJson(rest.join("")) as Transaction;
    return Array.isArray(value) ? value.map(withChanges) : withChanges(value as { changes: Change[] });
  };

  #change(text: string): Change {
    const written = this.#written.get(Number.parseInt(text.slice(start.length, start.length + 16), 10));
    if (written?.text === text) return written.change;
    const change = readJson(text) as Change;
    if (written === undefined || !sameJson(written.change, change)) return change;
    // A copy: what was cut out of a payload keeps all of it.
    written.text = Buffer.from(text).toString();
    return written.change;
  }
}
