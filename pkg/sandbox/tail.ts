/** Keeps the last bytes of a stream, so that a command that prints without end fills no memory. */
export class Tail {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #cut = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > 2 * this.#maxBytes) this.#shrink();
  }

  /** What was kept; a character split by the cut is left out. */
  text(): string {
    if (this.#bytes > this.#maxBytes) this.#shrink();
    const text = Buffer.concat(this.#chunks).toString("utf8");
    return this.#cut ? text.replace(/^\uFFFD+/, "") : text;
  }

  #shrink(): void {
    const kept = Buffer.concat(this.#chunks).subarray(-this.#maxBytes);
    this.#cut = true;
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.length;
  }
}
