/**
 * Promise 2: what was acknowledged is there after every crash. A storage that keeps a book of its own beside the one
 * that it watches: what it was handed, and what it was told is safe.
 */
import { keyString } from "../../../pkg/api/meta.ts";
import { sameJson } from "../../../pkg/api/same-json.ts";
import type { Change, Storage, StoredState, Transaction } from "../../../pkg/storage/storage.ts";
import { promise } from "./promise.ts";
import { ReadBack } from "./read-back.ts";

const hold = promise(2, "nothing acknowledged is lost");

/** Of changes that others have replaced, so many may be read back still, as a rule: others are made anew. */
const segmentChanges = 512;

export class AcknowledgedWrites {
  /** By resource and key: what is certain to be there. */
  readonly #safe = new Map<string, Change>();
  /** Handed over and not acknowledged, in order. */
  #open: Transaction[] = [];
  /** Safe, and no watcher has heard of it yet. */
  #untold: Change[] = [];
  #revision = 0;
  /** Knows what was handed over of late, and what is safe. */
  readonly readBack = new ReadBack();
  /** Revisions of what is safe no longer, oldest first: segments may hold those of late. */
  readonly #superseded: number[] = [];
  #opened = false;
  readonly #tell: (changes: readonly Change[]) => void;

  /** @param tell - told every change that is safe, once, in order: those too that a crash kept from being told */
  constructor(tell: (changes: readonly Change[]) => void) {
    this.#tell = tell;
  }

  /** The server tells its watchers of `changes`. */
  told(changes: readonly Change[]): void {
    const last = changes.at(-1)?.revision ?? 0;
    this.#untold = this.#untold.filter(({ revision }) => revision > last);
    this.#tell(changes);
  }

  /** `storage`, checked whenever it is opened. */
  watch(storage: Storage): Storage {
    return {
      open: async () => {
        const state = await storage.open();
        this.#recovered(state);
        return state;
      },
      commit: async (transaction) => {
        this.#handed(transaction);
        await storage.commit(transaction);
        this.#acknowledged(transaction);
      },
      close: () => storage.close(),
    };
  }

  #handed(transaction: Transaction): void {
    const newest = Math.max(this.#revision, ...this.#open.flatMap(revisions));
    const [first = newest + 1] = revisions(transaction);
    hold(first > newest, () => `Revision ${first} was given after revision ${newest}`);
    this.#open.push(transaction);
    for (const change of transaction.changes) this.readBack.written(change);
  }

  #acknowledged(transaction: Transaction): void {
    // Handed over by a life that has ended since: nobody was told.
    if (!this.#open.includes(transaction)) return;
    hold(this.#open.shift() === transaction, () => "Writes were acknowledged in another order than made");
    this.#apply(transaction);
  }

  /** What is found must be what was safe, and of the open ones the first so and so many, whole. */
  #recovered({ revision, objects }: StoredState): void {
    const survivors = this.#open.filter((transaction) => Math.max(...revisions(transaction)) <= revision);
    for (const transaction of survivors) this.#apply(transaction);
    this.#open = [];
    hold(
      !this.#opened || revision === this.#revision,
      () => `The storage came back at revision ${revision}, and revision ${this.#revision} was acknowledged`,
    );
    this.#opened = true;
    const found = new Map(objects.map((change) => [idOf(change), change]));
    for (const [id, change] of this.#safe)
      hold(
        sameJson(found.get(id)?.object, change.object),
        () => `${id} was acknowledged at revision ${change.revision} and is not there after a crash`,
      );
    for (const id of found.keys())
      hold(this.#safe.has(id), () => `${id} is there after a crash, and was deleted or never made`);
    this.told(this.#untold);
  }

  #apply(transaction: Transaction): void {
    for (const change of transaction.changes) {
      const id = idOf(change);
      const replaced = this.#safe.get(id);
      if (replaced !== undefined) this.#superseded.push(replaced.revision);
      if (change.object === undefined) {
        this.#safe.delete(id);
        this.#superseded.push(change.revision);
      } else this.#safe.set(id, change);
      this.#revision = Math.max(this.#revision, change.revision);
      this.#untold.push(change);
    }
    const longAgo = this.#superseded.splice(0, this.#superseded.length - segmentChanges);
    for (const revision of longAgo) this.readBack.forget(revision);
  }
}

const idOf = (change: Change): string => `${change.resource} ${keyString(change)}`;
const revisions = ({ changes }: Transaction): number[] => changes.map(({ revision }) => revision);
