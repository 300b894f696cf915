/** What is due when: a binary heap by time, then by order of asking. */

export interface Timer<T> {
  atMs: number;
  sequence: number;
  cancelled: boolean;
  what: T;
}

export class Timers<T> {
  readonly #heap: Timer<T>[] = [];
  readonly #isVoid: (what: T) => boolean;
  #sequence = 0;

  /** @param isVoid - whether a timer has lost its meaning since it was added: it is passed over */
  constructor(isVoid: (what: T) => boolean = () => false) {
    this.#isVoid = isVoid;
  }

  add(atMs: number, what: T): Timer<T> {
    const timer = { atMs, sequence: this.#sequence, cancelled: false, what };
    this.#sequence += 1;
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return timer;
  }

  /** When the next timer is due, or undefined without one. */
  nextMs(): number | undefined {
    let first = this.#heap[0];
    while (first !== undefined && (first.cancelled || this.#isVoid(first.what))) {
      this.#pop();
      first = this.#heap[0];
    }
    return first?.atMs;
  }

  /** Takes out the first timer that is due at `nowMs`. */
  take(nowMs: number): T | undefined {
    const atMs = this.nextMs();
    return atMs !== undefined && atMs <= nowMs ? this.#pop()?.what : undefined;
  }

  #pop(): Timer<T> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfLater(parent, index)) return;
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && this.#later(left, right) ? right : left;
      if (!this.#swapIfLater(index, child)) return;
      index = child;
    }
  }

  #later(a: number, b: number): boolean {
    const x = this.#heap[a] as Timer<T>;
    const y = this.#heap[b] as Timer<T>;
    return x.atMs > y.atMs || (x.atMs === y.atMs && x.sequence > y.sequence);
  }

  #swapIfLater(a: number, b: number): boolean {
    if (!this.#later(a, b)) return false;
    const x = this.#heap[a] as Timer<T>;
    this.#heap[a] = this.#heap[b] as Timer<T>;
    this.#heap[b] = x;
    return true;
  }
}
