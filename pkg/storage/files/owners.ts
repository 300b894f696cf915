/** Decides which file an object lives in. */

import { sameJson } from "../../api/same-json.ts";
import { StatusError } from "../../api/status-error.ts";
import type { FileObject } from "./file-objects.ts";
import type { FilesState, PlacedObject } from "./files-state.ts";
import { projectOnto } from "./projection.ts";
import { reportedObject, reportReasons } from "./report.ts";

/** What files declare now, by path, where that isn't what the records say. */
export type EditedFiles = ReadonlyMap<string, { objects: readonly FileObject[] }>;

/**
 * A function that brings `state.owners` up to date. An object stays in the file that has it already; a second file that
 * declares it is named to the person, once.
 */
export function ownerAssignment(state: FilesState): (edited?: EditedFiles, gone?: readonly string[]) => void {
  const { records, owners, admission, report } = state;
  const told = new Map<string, string>();

  return (edited = new Map(), gone = []) => {
    const candidates = new Map<string, PlacedObject[]>();
    for (const path of [...new Set([...records.texts.keys(), ...edited.keys()])].sort()) {
      if (gone.includes(path)) continue;
      const read = state.objectsIn(path, records.texts.get(path) ?? "");
      for (const object of edited.get(path)?.objects ?? (read.valid ? read.objects : [])) {
        candidates.set(object.id, [...(candidates.get(object.id) ?? []), { ...object, path }]);
      }
    }
    const previous = new Map(owners);
    owners.clear();
    for (const [id, found] of candidates) {
      const before = previous.get(id)?.path;
      const only = found.length === 1 ? found[0] : undefined;
      const owner = only ?? found.find(({ path }) => path === before) ?? found.find(isInForce) ?? found[0];
      if (owner === undefined) continue;
      owners.set(id, owner);
      for (const other of found) if (other !== owner) tell(other, owner);
    }
    for (const id of told.keys()) if ((candidates.get(id)?.length ?? 0) < 2) told.delete(id);
  };

  /** Whether the object is as this document says: after a restart that tells which of two files it came from. */
  function isInForce({ resource, key, value }: FileObject): boolean {
    const current = admission.newest(resource.resource, key);
    try {
      return (
        current !== undefined &&
        sameJson(projectOnto(value, current, admission.meaning.bind(admission)), value)
      );
    } catch (error) {
      if (error instanceof StatusError) return false;
      throw error;
    }
  }

  function tell(other: PlacedObject, owner: PlacedObject): void {
    const message =
      `${other.path}:${other.line([])}: ${other.resource.kind} ${other.key.name} is declared in ${owner.path} ` +
      "already, which stays in force. Remove one of the two.";
    if (told.get(other.id) === message) return;
    told.set(other.id, message);
    const object = reportedObject(other);
    report({ object, type: "Warning", reason: reportReasons.duplicateObject, message });
  }
}
