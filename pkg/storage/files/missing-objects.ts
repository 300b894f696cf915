/** Objects that are gone from the files: recorded, and deleted when the guard lets them go. */
import type { ObjectKey } from "../../api/meta.ts";
import type { Edit } from "../admission.ts";
import { deletionGuard } from "./deletion-guard.ts";
import type { FilesState } from "./files-state.ts";
import { type MissingObject, missingRecord } from "./records.ts";
import { reportedObject, reportReasons } from "./report.ts";

export interface MissingObjects {
  /** Records, by object id, what is gone from the file that had it. */
  record(gone: readonly (readonly [string, MissingObject])[]): Promise<void>;
  /** Forgets what is declared again, or still, and what is deleted. */
  forget(): Promise<void>;
  /**
   * Deletes what has been missing long enough. Returns after how many milliseconds to decide again, if anything waits.
   *
   * @param now.isChanging - some file is being written, and a missing object may be in it: nothing is deleted
   * @param now.refused - paths of files that were not taken as they are; the same, and people are told
   */
  decide(now: {
    head: string | undefined;
    elapsed: number;
    isChanging: boolean;
    refused: readonly string[];
  }): Promise<number | undefined>;
  /** Deletes all that is missing, held or not. Returns what it deleted. */
  accept(): Promise<ObjectKey[]>;
}

export function missingObjects(state: FilesState): MissingObjects {
  const { records, owners, report } = state;
  const guard = deletionGuard();
  const toldHeld = new Set<string>();

  return {
    async record(gone) {
      const lost = gone.flatMap(([id, missing]) => {
        const object = state.objectOf(id);
        if (object === undefined || state.missingOf(id) !== undefined) return [];
        return missingRecord(id, { ...missing, uid: object.metadata.uid });
      });
      if (lost.length > 0) await state.transact([], lost);
    },

    async forget() {
      const over = [...records.missing.keys()].filter(
        (id) => owners.has(id) || state.missingOf(id) === undefined,
      );
      if (over.length === 0) return;
      await state.transact(
        [],
        over.map((id) => missingRecord(id, undefined)),
      );
    },

    async decide({ head, elapsed, isChanging, refused }) {
      const missing = [...records.missing.keys()];
      const verdict = guard.look({ missing, total: owners.size + missing.length, head, elapsed });
      for (const id of toldHeld) if (!records.missing.has(id)) toldHeld.delete(id);
      const inDoubt = refused.length > 0 ? verdict.delete.map((id) => ({ id, why: mayBeIn(refused) })) : [];
      for (const { id, why } of [...verdict.held, ...inDoubt]) if (!toldHeld.has(id)) tellHeld(id, why);
      if (!isChanging && refused.length === 0) await remove(verdict.delete);
      return verdict.nextMs;
    },

    accept: () => remove([...records.missing.keys()]),
  };

  async function remove(ids: readonly string[]): Promise<ObjectKey[]> {
    const deleted: ObjectKey[] = [];
    for (const id of ids) {
      const { resource, key } = state.addressOf(id);
      const isThere = state.missingOf(id) !== undefined;
      const edits: Edit[] = isThere ? [{ verb: "delete", resource: resource.resource, key }] : [];
      const result = await state.transact(edits, [missingRecord(id, undefined)]);
      if (result.admitted) {
        deleted.push(key);
        continue;
      }
      const why = result.errors.map(({ error }) => error.message).join(" ");
      const message = `${resource.kind} ${key.name} is gone from its file but can't be deleted: ${why}`;
      report({
        object: reportedObject({ resource, key }),
        type: "Warning",
        reason: reportReasons.deletionHeld,
        message,
      });
    }
    return deleted;
  }

  function tellHeld(id: string, why: string): void {
    toldHeld.add(id);
    const { resource, key } = state.addressOf(id);
    const message =
      `${resource.kind} ${key.name} is gone from ${records.missing.get(id)?.path} but was kept: ${why}. Put it back, ` +
      "or run `bosun accept-deletions`.";
    report({
      object: reportedObject({ resource, key }),
      type: "Warning",
      reason: reportReasons.deletionHeld,
      message,
    });
  }
}

function mayBeIn([first = "", ...others]: readonly string[]): string {
  const which = others.length === 0 ? `${first} is` : `${first} and ${others.length} more files are`;
  return `${which} not valid and may hold it; once that is mended it is deleted`;
}
