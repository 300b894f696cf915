/** Before an edit counts, what it was read from is put on the disk: editors don't, and the log does. */
import { dirname, join } from "node:path";
import { codeOf } from "../file-calls.ts";
import type { FilesState } from "./files-state.ts";
import type { Edited } from "./people-files.ts";
import { refuse } from "./take-edit.ts";

/** What a system says of a file that it has no way to sync, which is not a failure to sync it. */
const unsyncable = ["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/**
 * Syncs the edited files, and the folders in which something appeared or is gone. Else a power loss could give the
 * last text back, or a file that is gone, and it would be taken for the person's newest edit.
 *
 * A file that can't be synced is told of, once, and taken out of `edited`: it is tried again by the next look.
 */
export async function makeDurable(state: FilesState, edited: Edited, gone: readonly string[]): Promise<void> {
  const { fs, root, refused } = state;
  const folders = new Set(gone.map((path) => dirname(join(root, path))));
  await Promise.all(
    [...edited.keys()].map(async (path) => {
      try {
        const target = await fs.realPath(join(root, path));
        await fs.syncFile(target);
        folders.add(dirname(target));
      } catch (error) {
        if (unsyncable.includes(codeOf(error) ?? "")) return;
        edited.delete(path);
        const message = `the file can't be synced: ${(error as Error).message}`;
        if (refused.get(path)?.text !== message)
          refuse(state, path, message, [{ object: undefined, line: 1, message }]);
      }
    }),
  );
  await Promise.all([...folders].map((folder) => syncNearest(state, folder)));
}

/** The folder may be gone with what was in it; then one above it tells. */
async function syncNearest({ fs, root }: FilesState, folder: string): Promise<void> {
  let nearest = folder;
  while (nearest !== root && (await fs.stat(nearest)) === undefined) nearest = dirname(nearest);
  await fs.syncDirectory(nearest);
}
