/** The ledger on disk: every step of every request, written and synced before it is acted upon. */
import { dirname } from "node:path";
import type { Clock, Ids } from "../runtime/clock.ts";
import type { AppendFile, FileSystem } from "../storage/file-system.ts";
import { encodeLines, readLedger } from "./ledger-file.ts";
import type { Line, Step } from "./ledger-lines.ts";
import { type LedgerOwner, takeLedger } from "./ledger-owner.ts";
import type { LedgerState } from "./ledger-state.ts";
import { checkAgainst, readTotals, type Totals, totalsOf, writeTotals } from "./ledger-totals.ts";

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
  fs: FileSystem;
  clock: Clock;
  ids: Ids;
  /** Called when the disk fails or another process took the ledger: this one must end then. */
  failed(error: unknown): void;
}

/** At most so much is written by one write, in bytes: no more than that can be unsynced when the process ends. */
const writeBytesMax = 1024 * 1024;
const fileMode = 0o600;
const directoryMode = 0o700;

/**
 * Opens the ledger, or begins one, and ends what a crash left open: a request that was never sent is released, one
 * that was sent is charged with its whole reservation.
 *
 * The last write, when a crash tore it, was never acted upon and is cut off. Whoever else has the ledger open, in another
 * container perhaps, writes nothing more that counts.
 *
 * @throws LedgerError when the file is damaged, or missing or shorter than the copy of its totals says: nothing may
 *   be spent until a person has put it back
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { path, totalsPath, fs, ids } = options;
  await fs.makeDirectory(dirname(path), directoryMode);
  await fs.makeDirectory(dirname(totalsPath), directoryMode);
  const owner = await takeLedger(fs, path, ids.uuid());
  const totals = await readTotals(fs, totalsPath);
  const { state, bytes } = await readLedger(fs, path);
  checkAgainst(totals, state, path, totalsPath);

  const file = await fs.append(path, { mode: fileMode, size: bytes });
  const ledger = new FileLedger({ ...options, state, file, owner });
  try {
    // What the last process wrote counts from here on, whether it came to sync it or failed to.
    await fs.persist(path, { from: Math.max(0, bytes - writeBytesMax), to: bytes });
    await fs.syncDirectory(dirname(path));
    if (state.seq === 0) await ledger.append({ step: "opened", ledger: ids.uuid(), version: 1 });
    await endWhatACrashLeft(ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

interface FileLedgerParts extends Pick<LedgerOptions, "totalsPath" | "fs" | "clock" | "failed"> {
  state: LedgerState;
  file: AppendFile;
  owner: LedgerOwner;
}

/** A line that waits for its turn to be written. */
interface Pending {
  line: Line;
  resolve: () => void;
  reject: (error: unknown) => void;
}

class FileLedger implements Ledger {
  readonly state: LedgerState;
  readonly #file: AppendFile;
  readonly #owner: LedgerOwner;
  readonly #totalsPath: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #pending: Pending[] = [];
  #syncing: Promise<void> | undefined;
  #copying: Promise<void> | undefined;
  #toCopy: Totals | undefined;
  #failure: unknown;

  constructor({ state, file, owner, totalsPath, fs, clock, failed }: FileLedgerParts) {
    this.state = state;
    this.#file = file;
    this.#owner = owner;
    this.#totalsPath = totalsPath;
    this.#fs = fs;
    this.#clock = clock;
    this.#failed = failed;
  }

  append(step: Step): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const line: Line = { seq: this.state.seq + 1, at: this.#clock.now(), ...step };
    this.state.apply(line);
    const written = new Promise<void>((resolve, reject) => {
      this.#pending.push({ line, resolve, reject });
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
      const { text, count } = encodeLines(
        this.#pending.map(({ line }) => line),
        writeBytesMax,
      );
      const group = this.#pending.splice(0, count);
      // The state runs ahead of the disk by what still waits: then there is nothing to copy yet.
      const totals = this.#pending.length === 0 ? totalsOf(this.state) : undefined;
      try {
        await this.#owner.assert();
        await this.#file.write(text);
        await this.#file.datasync();
        await this.#owner.assert();
      } catch (error) {
        this.#failure = error;
        this.#failed(error);
        for (const { reject } of [...group, ...this.#pending]) reject(error);
        this.#pending = [];
        break;
      }
      for (const { resolve } of group) resolve();
      if (totals !== undefined) this.#copy(totals);
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
      await writeTotals(this.#fs, this.#totalsPath, totals).catch(() => {});
    }
  }
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
