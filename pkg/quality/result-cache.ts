import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckResult } from "./quality.ts";

/** Results on disk, one file a key; a file that cannot be read counts as no result. */
export class ResultCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(key: string): Promise<readonly CheckResult[] | undefined> {
    try {
      const { results } = JSON.parse(await readFile(this.#file(key), "utf8")) as { results?: unknown };
      return Array.isArray(results) ? (results as readonly CheckResult[]) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT")
        return undefined;
      throw error;
    }
  }

  /** @param about - kept beside the results for people who look */
  async put(key: string, results: readonly CheckResult[], about: object): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = `${this.#file(key)}.${randomUUID()}`;
    await writeFile(temporary, `${JSON.stringify({ ...about, results }, undefined, 2)}\n`);
    await rename(temporary, this.#file(key));
  }

  #file(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}
