/**
 * The keys that a controller has to look at: each at most once in line and never handed out twice at once.
 * (Semantics of client-go's `workqueue`.)
 */
import type { ObjectKey } from "../api/meta.ts";
import { keyString } from "../api/meta.ts";
import type { Clock } from "./clock.ts";

/** Pauses after failures in a row, doubling from the first to the second, in milliseconds: client-go's. */
const backoffBaseMs = 5;
const longestBackoffMs = 1_000_000;

/** Why an alarm ends; one for all, since making a DOMException each time would cost more than the alarm. */
const replaced = new Error("The queue's alarm was set to another time");

export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoffMsMax: number;
  /** In line, in order of arrival: waiting for a worker. */
  readonly #ready = new Map<string, ObjectKey>();
  /** Handed out and not yet done. */
  readonly #processing = new Set<string>();
  /** Added while they were processed: in line again once done. */
  readonly #dirty = new Map<string, ObjectKey>();
  readonly #delayed = new Map<string, { key: ObjectKey; atMs: number }>();
  readonly #failures = new Map<string, number>();
  readonly #workers: ((key: ObjectKey | undefined) => void)[] = [];
  #alarm: { atMs: number; abort: AbortController } | undefined;
  #closed = false;

  /** @param backoffMsMax - the longest pause after failures, in milliseconds; 1000 s when left out */
  constructor(clock: Clock, backoffMsMax = longestBackoffMs) {
    this.#clock = clock;
    this.#backoffMsMax = backoffMsMax;
  }

  /** Keys in line now, without those that are processed or delayed. */
  get depth(): number {
    return this.#ready.size + this.#dirty.size;
  }

  /** Puts `key` in line, once; a key that is being processed comes again after its `done`. */
  add(key: ObjectKey): void {
    if (this.#closed) return;
    const id = keyString(key);
    if (this.#processing.has(id)) this.#dirty.set(id, key);
    else this.#ready.set(id, key);
    this.#dispatch();
  }

  /** Puts `key` in line after `ms` milliseconds. Of several delays the one that ends first counts. */
  addAfter(key: ObjectKey, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const id = keyString(key);
    const atMs = this.#clock.elapsed() + ms;
    const earlier = this.#delayed.get(id);
    if (earlier !== undefined && earlier.atMs <= atMs) return;
    this.#delayed.set(id, { key, atMs });
    this.#setAlarm();
  }

  /** Puts `key` in line after its back-off: 5 ms, doubled with each failure since `forget`, up to the longest. */
  addBackedOff(key: ObjectKey): void {
    const id = keyString(key);
    const failures = this.#failures.get(id) ?? 0;
    this.#failures.set(id, failures + 1);
    this.addAfter(key, Math.min(backoffBaseMs * 2 ** failures, this.#backoffMsMax));
  }

  /** Ends the back-off of `key`: its next failure counts as the first. */
  forget(key: ObjectKey): void {
    this.#failures.delete(keyString(key));
  }

  /**
   * The next key, as soon as there is one; undefined once closed. Call `done` with it. A delay that the key still
   * had is dropped: what is looked at now says anew when it wants to be looked at again.
   */
  next(): Promise<ObjectKey | undefined> {
    return new Promise((resolve) => {
      this.#workers.push(resolve);
      this.#dispatch();
    });
  }

  /** Says that the work on `key` has ended; if it was added meanwhile it is in line again. */
  done(key: ObjectKey): void {
    const id = keyString(key);
    this.#processing.delete(id);
    const again = this.#dirty.get(id);
    if (again === undefined) return;
    this.#dirty.delete(id);
    this.add(again);
  }

  /** Lets all workers go and takes no more keys. */
  close(): void {
    this.#closed = true;
    this.#ready.clear();
    this.#dirty.clear();
    this.#delayed.clear();
    this.#alarm?.abort.abort(replaced);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#workers.length > 0) {
      const first = this.#ready.entries().next();
      if (first.done && !this.#closed) return;
      const worker = this.#workers.shift();
      if (first.done) {
        worker?.(undefined);
        continue;
      }
      const [id, key] = first.value;
      this.#ready.delete(id);
      this.#undelay(id);
      this.#processing.add(id);
      worker?.(key);
    }
  }

  #undelay(id: string): void {
    const delayed = this.#delayed.get(id);
    if (delayed === undefined) return;
    this.#delayed.delete(id);
    // An alarm for it would wake nobody.
    if (delayed.atMs !== this.#alarm?.atMs) return;
    this.#alarm.abort.abort(replaced);
    this.#alarm = undefined;
    this.#setAlarm();
  }

  /** One timer for all delays, set to the earliest. */
  #setAlarm(): void {
    let atMs = Number.POSITIVE_INFINITY;
    for (const delayed of this.#delayed.values()) atMs = Math.min(atMs, delayed.atMs);
    if (this.#alarm !== undefined && this.#alarm.atMs <= atMs) return;
    this.#alarm?.abort.abort(replaced);
    this.#alarm = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const alarm = { atMs, abort: new AbortController() };
    this.#alarm = alarm;
    this.#clock.sleep(Math.ceil(atMs - this.#clock.elapsed()), alarm.abort.signal).then(
      () => this.#ring(),
      // Aborted: replaced by an earlier alarm, or the queue is closed.
      () => {},
    );
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = this.#clock.elapsed();
    const due = [...this.#delayed].filter(([, delayed]) => delayed.atMs <= now);
    for (const [id] of due) this.#delayed.delete(id);
    for (const [, { key }] of due.sort(([, a], [, b]) => a.atMs - b.atMs)) this.add(key);
    this.#setAlarm();
  }
}
