/** What happened in a run, as a hash of all its steps and, for people, the last of them. */

export interface Step {
  number: number;
  elapsedMs: number;
  label: string;
}

export class Trace {
  readonly #kept: Step[] = [];
  readonly #keep: number;
  #high = 0x811c9dc5 | 0;
  #low = 0x01000193 | 0;
  #steps = 0;

  /** @param keep - how many of the last steps `last` gives */
  constructor(keep: number) {
    this.#keep = keep;
  }

  get steps(): number {
    return this.#steps;
  }

  /** 16 hexadecimal digits; equal for runs whose steps had the same labels at the same times in the same order. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** The last steps, oldest first. */
  get last(): readonly Step[] {
    const from = this.#steps % Math.max(1, this.#kept.length);
    return this.#kept.length < this.#keep
      ? this.#kept
      : [...this.#kept.slice(from), ...this.#kept.slice(0, from)];
  }

  add(label: string, elapsedMs: number): void {
    for (let index = 0; index < label.length; index += 1) this.#mix(label.charCodeAt(index));
    this.#mix(elapsedMs | 0);
    this.#mix((elapsedMs / 2 ** 32) | 0);
    this.#mix(((elapsedMs % 1) * 2 ** 31) | 0);
    if (this.#keep > 0) this.#kept[this.#steps % this.#keep] = { number: this.#steps, elapsedMs, label };
    this.#steps += 1;
  }

  /** FNV-1a twice, with different primes. */
  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193);
    this.#low = Math.imul(this.#low ^ value, 0x85ebca6b);
    this.#low ^= this.#low >>> 13;
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
