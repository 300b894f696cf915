/** The ledger on disk: every step of every request, written and synced before it is acted upon. */
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Clock, Ids } from "../runtime/clock.ts";
import { LedgerError, type Line, type Step } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";

export interface Ledger {
  /** What its lines add up to, those included that are not on disk yet. Never written to but by `append`. */
  readonly state: LedgerState;
  /**
   * Adds a step: to `state` at once, to the disk when the promise resolves. Lines reach the disk in order, so what
   * was granted against a settlement is never there without it.
   *
   * @throws LedgerError, synchronously, when the step can't follow; the promise rejects when the disk fails, and then
   *   the process must end: what it would do next is unknown to the next one
   */
  append(step: Step): Promise<void>;
  close(): Promise<void>;
}

export interface LedgerOptions {
  /** The file, made with mode 0600 when missing. */
  path: string;
  /** Where each sync leaves a copy of the totals, in another folder; guards against a lost ledger. */
  totalsPath: string;
  clock: Clock;
  ids: Ids;
  /** Called when the disk fails: the process must end then, since what reached the disk is unknown. */
  failed(error: unknown): void;
}

/** What the copy beside the ledger says. */
interface Totals {
  ledger: string;
  /** Newest line that was on disk. */
  seq: number;
  /** The windows that were not over yet. */
  windows: WindowTotals[];
}

/** Charged and reserved in one window, in nano-dollars and in tokens. */
interface WindowTotals {
  grant: string;
  budget: string;
  window: string;
  cost: number;
  tokens: number;
}

/**
 * Opens the ledger, or begins one, and ends what a crash left open: a request that was never sent is released, one
 * that was sent is charged with its whole reservation.
 *
 * A last line that a crash cut short was never acted upon and is cut off.
 *
 * @throws LedgerError when the file is damaged, or missing or shorter than the copy of its totals says: nothing may
 *   be spent until a person has put it back
 */
export async function openLedger({ path, totalsPath, clock, ids, failed }: LedgerOptions): Promise<Ledger> {
  await mkdir(dirname(path), { recursive: true });
  const totals = await readTotals(totalsPath);
  const { state, bytes } = await replay(path);
  checkAgainst(totals, state, path, totalsPath);

  const file = await open(path, "a", 0o600);
  await file.chmod(0o600);
  await file.truncate(bytes);
  await syncFolder(dirname(path));
  const ledger = new FileLedger({ state, file, totalsPath, clock, failed });
  if (state.seq === 0) await ledger.append({ step: "opened", ledger: ids.uuid(), version: 1 });
  await endWhatACrashLeft(ledger);
  return ledger;
}

interface FileLedgerParts extends Pick<LedgerOptions, "totalsPath" | "clock" | "failed"> {
  state: LedgerState;
  file: FileHandle;
}

class FileLedger implements Ledger {
  readonly state: LedgerState;
  readonly #file: FileHandle;
  readonly #totalsPath: string;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #pending: { text: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #syncing: Promise<void> | undefined;
  #copying: Promise<void> | undefined;
  #toCopy: Totals | undefined;
  #failure: unknown;

  constructor({ state, file, totalsPath, clock, failed }: FileLedgerParts) {
    this.state = state;
    this.#file = file;
    this.#totalsPath = totalsPath;
    this.#clock = clock;
    this.#failed = failed;
  }

  append(step: Step): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const line: Line = { seq: this.state.seq + 1, at: this.#clock.now(), ...step };
    this.state.apply(line);
    const written = new Promise<void>((resolve, reject) => {
      this.#pending.push({ text: `${JSON.stringify(line)}\n`, resolve, reject });
    });
    this.#syncing ??= this.#sync();
    return written;
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#copying;
    await this.#file.close();
  }

  /** Group commit: while one sync runs, the next lines gather. */
  async #sync(): Promise<void> {
    // In a later turn, so that lines of one turn share a sync.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const group = this.#pending;
      this.#pending = [];
      const totals = totalsOf(this.state);
      try {
        await this.#file.appendFile(group.map(({ text }) => text).join(""));
        await this.#file.datasync();
      } catch (error) {
        this.#failure = error;
        this.#failed(error);
        for (const { reject } of [...group, ...this.#pending]) reject(error);
        this.#pending = [];
        break;
      }
      for (const { resolve } of group) resolve();
      this.#copy(totals);
    }
    this.#syncing = undefined;
  }

  /** One copy at a time, the newest next; it may lag behind the ledger but never be ahead of it. */
  #copy(totals: Totals): void {
    this.#toCopy = totals;
    this.#copying ??= this.#copyAll().finally(() => {
      this.#copying = undefined;
    });
  }

  async #copyAll(): Promise<void> {
    while (this.#toCopy !== undefined) {
      const totals = this.#toCopy;
      this.#toCopy = undefined;
      // The copy guards against the loss of the ledger; without it the ledger itself still holds.
      await writeTotals(this.#totalsPath, totals).catch(() => {});
    }
  }
}

/** Reads line by line: a ledger outgrows what fits into one string. */
async function replay(path: string): Promise<{ state: LedgerState; bytes: number }> {
  const state = new LedgerState();
  let bytes = 0;
  for await (const line of wholeLines(path)) {
    try {
      state.apply(JSON.parse(line.toString("utf8")));
    } catch (error) {
      const where = `${path}, line ${state.seq + 1} is damaged`;
      const message = `${where}: ${(error as Error).message} Nothing is spent until the file is restored.`;
      throw new LedgerError(message, { cause: error });
    }
    bytes += line.length + 1;
  }
  return { state, bytes };
}

/** The lines of a file that end, without their ends; none when there is no file. */
async function* wholeLines(path: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      rest = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, start)) {
        yield rest.subarray(start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function checkAgainst(
  totals: Totals | undefined,
  state: LedgerState,
  path: string,
  totalsPath: string,
): void {
  if (totals === undefined || totals.ledger === "") return;
  const problem = contradiction(totals, state);
  if (problem === undefined) return;
  const windows = totals.windows.map(
    ({ budget, window, cost }) => `${budget} ${window}: ${cost} nano-dollars`,
  );
  throw new LedgerError(
    `${path} ${problem}: ${totalsPath} says that ledger ${totals.ledger} had ${totals.seq} lines ` +
      `(${windows.join(", ")}). Nothing is spent until the file is restored; to begin anew, remove both.`,
  );
}

function contradiction(totals: Totals, state: LedgerState): string | undefined {
  if (state.seq === 0) return "is missing";
  if (totals.ledger !== state.ledger) return "is another one";
  if (totals.seq > state.seq) return "was cut";
  // With more lines than the copy knows of, the sums have moved on.
  if (totals.seq < state.seq) return undefined;
  return isDeepStrictEqual(totals.windows, windowTotals(state)) ? undefined : "adds up to something else";
}

async function endWhatACrashLeft(ledger: Ledger): Promise<void> {
  const open = [...ledger.state.requests()].filter(({ state }) => state === "reserved" || state === "sent");
  for (const { id, state, bound } of open) {
    const why = "the gateway ended before the answer did";
    await ledger.append(
      state === "reserved"
        ? { step: "released", id, why }
        : { step: "unsettled", id, why, cost: bound.cost, tokens: bound.tokens },
    );
  }
}

function totalsOf(state: LedgerState): Totals {
  return { ledger: state.ledger, seq: state.seq, windows: windowTotals(state) };
}

function windowTotals(state: LedgerState): WindowTotals[] {
  return [...state.grants()]
    .filter(({ endMs }) => endMs > state.at)
    .map(({ grant, budget, window, selector, startMs, endMs }) => {
      const { spent, reserved, spentTokens, reservedTokens } = state.sums({ selector, startMs, endMs });
      return { grant, budget, window, cost: spent + reserved, tokens: spentTokens + reservedTokens };
    });
}

async function readTotals(path: string): Promise<Totals | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as Totals;
  } catch (cause) {
    throw new LedgerError(`${path} is damaged. Remove it if the ledger is whole.`, { cause });
  }
}

async function writeTotals(path: string, totals: Totals): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(totals));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
