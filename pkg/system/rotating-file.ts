import * as realFs from "node:fs";

export interface RotatingFileOptions {
  /** The file's, mode 0600. Its predecessors lie beside it: `FILE.1` is the newest of them. */
  path: string;
  /** It grows no further than this, except for a single text that is longer. */
  bytesMax: number;
  /** How many predecessors are kept. */
  kept: number;
  /** Another disk only in tests. */
  fs?: Pick<typeof realFs, "appendFileSync" | "renameSync" | "statSync" | "truncateSync">;
}

/**
 * A file for lines that nobody needs for ever, of a process that runs for months. It is opened for each text, so that one
 * who moves or removes it meanwhile, a second process or logrotate, does no harm.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  readonly #fs: NonNullable<RotatingFileOptions["fs"]>;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#fs = options.fs ?? realFs;
  }

  /**
   * Adds `text` at the end of the file, or of a new one where it would grow too long.
   *
   * @throws what the disk said; then none of `text` is in the file
   */
  append(text: string): void {
    const { path, bytesMax } = this.#options;
    let bytes = this.#size();
    if (bytes > 0 && bytes + Buffer.byteLength(text) > bytesMax) {
      this.#rotate();
      bytes = 0;
    }
    try {
      this.#fs.appendFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      // A full disk may have taken half of it, and the next line would begin in its middle.
      if (this.#size() > bytes) this.#fs.truncateSync(path, bytes);
      throw error;
    }
  }

  /** Each takes the place of the one before it, the oldest first; the one that has no place left is lost. */
  #rotate(): void {
    const { path, kept } = this.#options;
    for (let number = kept; number >= 1; number -= 1) {
      const younger = number === 1 ? path : `${path}.${number - 1}`;
      if (this.#fs.statSync(younger, { throwIfNoEntry: false }) !== undefined)
        this.#fs.renameSync(younger, `${path}.${number}`);
    }
  }

  #size(): number {
    return this.#fs.statSync(this.#options.path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
