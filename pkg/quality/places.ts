/** How many may go on at once; the others wait in the order they came. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @throws RangeError when `count` is not a positive integer */
  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`count must be a positive integer, not ${count}`);
    this.#free = count;
  }

  async hold<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
