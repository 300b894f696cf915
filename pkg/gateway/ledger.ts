/** The ledger on disk: every step of every request, written and synced before it is acted upon. */
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock, Ids } from "../runtime/clock.ts";
import type { AppendFile, FileSystem } from "../storage/file-system.ts";
import { encodeCheckpoint, type Prefix, writeCheckpoint } from "./ledger-checkpoint.ts";
import { encodeLines, type ReadLedger, readLedger } from "./ledger-file.ts";
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
  /** When there is a checkpoint, and what it keeps; absent: `checkpoints`. */
  checkpoints?: Checkpoints;
  /** Where each sync leaves a copy of the totals, in another folder; guards against a lost ledger. */
  totalsPath: string;
  fs: FileSystem;
  clock: Clock;
  ids: Ids;
  /** Called when the disk fails or another process took the ledger: this one must end then. */
  failed(error: unknown): void;
}

export interface Checkpoints {
  /**
   * Lines behind the last checkpoint before there is another, in bytes; twice as many as that one has at least, so that
   * what checkpoints write is a part of what lines do.
   */
  afterBytes: number;
  /** Requests that are kept one by one, whatever became of them. */
  requests: number;
}

const checkpoints: Checkpoints = { afterBytes: 512 * 1024, requests: 256 };

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
  const read = await readLedger(fs, path);
  const { state, prefix } = read;
  const { bytes } = prefix;
  checkAgainst(totals, state, path, totalsPath);

  const file = await fs.append(path, { mode: fileMode, size: bytes });
  const ledger = new FileLedger({ ...options, ...read, file, owner });
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

interface FileLedgerParts
  extends Pick<LedgerOptions, "path" | "totalsPath" | "checkpoints" | "fs" | "clock" | "failed">,
    ReadLedger {
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
  readonly #path: string;
  readonly #totalsPath: string;
  readonly #checkpoints: Checkpoints;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #pending: Pending[] = [];
  #syncing: Promise<void> | undefined;
  #copying: Promise<void> | undefined;
  #toCopy: Totals | undefined;
  #toKeep: Buffer | undefined;
  /** What is written. */
  #prefix: Prefix;
  /** The last one that was made: what it stands for, and its size, in bytes. */
  #checkpoint: ReadLedger["checkpoint"];
  #failure: unknown;

  constructor(parts: FileLedgerParts) {
    const { state, prefix, checkpoint, file, owner, path, totalsPath, fs, clock, failed } = parts;
    this.state = state;
    this.#prefix = prefix;
    this.#checkpoint = checkpoint;
    this.#checkpoints = parts.checkpoints ?? checkpoints;
    this.#file = file;
    this.#owner = owner;
    this.#path = path;
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
      this.#prefix = {
        bytes: this.#prefix.bytes + text.length,
        crc: crc32(text, this.#prefix.crc),
      };
      // The state runs ahead of the disk by what still waits: then there is nothing to copy yet.
      const isWhole = this.#pending.length === 0;
      const totals = isWhole ? totalsOf(this.state) : undefined;
      const checkpoint = isWhole ? this.#checkpointWhenDue() : undefined;
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
      if (checkpoint !== undefined) this.#toKeep = checkpoint;
      if (totals !== undefined) this.#copy(totals);
    }
    this.#syncing = undefined;
  }

  /** Undefined while few lines are behind the last one. */
  #checkpointWhenDue(): Buffer | undefined {
    const { bytes } = this.#prefix;
    const { bytes: last, size } = this.#checkpoint;
    const { afterBytes, requests } = this.#checkpoints;
    if (bytes - last < Math.max(afterBytes, 2 * size)) return undefined;
    this.state.fold(requests);
    const text = encodeCheckpoint(this.state, this.#prefix);
    this.#checkpoint = { bytes, size: text.length };
    return text;
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
      const checkpoint = this.#toKeep;
      this.#toKeep = undefined;
      // Without it the next start reads more.
      if (checkpoint !== undefined) await writeCheckpoint(this.#fs, this.#path, checkpoint).catch(() => {});
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
