/** The end of something beside which much is waited for. A race with one promise would keep every waiter until then. */
export class EndSignal {
  readonly #waiters = new Set<() => void>();

  /** `answer`; or, if the end comes first, what `instead` gives or throws. */
  or<T>(answer: Promise<T>, instead: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        try {
          resolve(instead());
        } catch (error) {
          reject(error);
        }
      };
      this.#waiters.add(end);
      answer.then(
        (given) => {
          this.#waiters.delete(end);
          resolve(given);
        },
        (error: unknown) => {
          this.#waiters.delete(end);
          reject(error);
        },
      );
    });
  }

  /** It has come: whoever waits hears so. */
  come(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const end of waiters) end();
  }
}
