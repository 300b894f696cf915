/** Promise 6: your files are yours. The user's branch moves by fast-forwards alone, and never under uncommitted work. */
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

const hold = promise(6, "your files are yours");

/** The operator moved the user's branch. */
export function followed(from: string, to: string, { repository }: Pick<World, "repository">): void {
  hold(!repository.userIsDirty, () => `the branch moved to ${to} under uncommitted work`);
  hold(
    repository.objects.isAncestor(from, to),
    () => `the branch moved from ${from} to ${to}, which lacks it`,
  );
}
