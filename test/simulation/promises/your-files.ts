/**
 * Promise 6: your files are yours. The user's branch moves by fast-forwards alone, and never under uncommitted work; what
 * a person wrote into a file is there, whatever was written through the API since.
 */
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

/** What a person has saved, by file. */
export class SavedTexts {
  readonly #comments = new Map<string, Set<string>>();

  /** A person saved a file. */
  saved(path: string, text: string): void {
    this.#comments.set(path, new Set(text.split("\n").filter((line) => line.startsWith("# "))));
  }

  /** Its object or the file itself is gone: nothing has to be there. */
  gone(path: string): void {
    this.#comments.delete(path);
  }

  /** A file as it is now: what was whole when a person saved it is there whole, with each of its comments. */
  seen(path: string, text: string): void {
    for (const comment of this.#comments.get(path) ?? [])
      hold(text.split("\n").includes(comment), () => `${path} has lost the comment ${comment}`);
  }
}

const hold = promise(6, "your files are yours");

/** The operator moved the user's branch. */
export function followed(from: string, to: string, { repository }: Pick<World, "repository">): void {
  hold(!repository.userIsDirty, () => `the branch moved to ${to} under uncommitted work`);
  hold(
    repository.objects.isAncestor(from, to),
    () => `the branch moved from ${from} to ${to}, which lacks it`,
  );
}
