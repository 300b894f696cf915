import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import type { JsonObject } from "../json.ts";
import { cap } from "./cap.ts";
import type { Comparison } from "./compare.ts";
import { difference, type FieldSet, isEmpty, none, union } from "./field-set.ts";
import { FieldTypeError } from "./field-type-error.ts";
import { entryOf, inOrder, isBy, type Managers, secondsOf, type Writer, withFields } from "./managers.ts";
import { reconcile } from "./reconcile.ts";
import { withoutServerFields } from "./server-fields.ts";
import { comparisons, type Versions } from "./versions.ts";

export interface Tracked {
  readonly versions: Versions;
  /** The object before, in the version of the write; for a new one what its kind has of itself. */
  readonly live: JsonObject;
  /** The owners before. */
  readonly managers: Managers;
  /** Whether the owners of the version of the write are known to own fields of its type as it is today. */
  readonly fitting: boolean;
  /** Fields of the object that this write cannot change, by name. */
  readonly ignored: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/**
 * The owners of an object's fields after a write that made it `next`, without applying: the writer owns what it changed,
 * together with others where it changed nothing, and nobody owns what is gone. The same list when no owner changes.
 */
export function ownersAfterUpdate(before: Tracked, next: JsonObject, writer: Writer): Managers {
  const { versions, live, managers, fitting, ignored, nowMs } = before;
  const changesIn = comparisons(versions, live, next, ignored);
  try {
    const { changed, removed } = changesIn(writer.apiVersion) ?? nothing;
    if (isEmpty(changed) && isEmpty(removed) && !managers.some(ownsNothing)) return managers;
    const mine = withoutServerFields(changed);
    const own: { fields: FieldSet; last?: ManagedFieldsEntry } = { fields: mine };
    const owners: ManagedFieldsEntry[] = [];
    for (const entry of reconcile(versions, managers, fitting ? writer.apiVersion : undefined)) {
      const changes = changesIn(entry.apiVersion);
      // Of a version that is not served any more nothing can be said.
      if (changes === undefined) continue;
      const left = difference(entry.fieldsV1, changes.removed);
      if (!isEmpty(mine) && isBy(entry, writer)) {
        own.last = entry;
        own.fields = union(left, mine);
      } else {
        const fields = difference(left, changes.changed);
        if (!isEmpty(fields)) owners.push(withFields(entry, fields));
      }
    }
    if (!isEmpty(mine)) owners.push(ownEntry(own.last, writer, own.fields, secondsOf(nowMs)));
    return inOrder(cap(owners), managers);
  } catch (error) {
    // An object that does not fit its type is refused later, or has lists of which nothing can be said.
    if (error instanceof FieldTypeError) return managers;
    throw error;
  }
}

const nothing: Comparison = { changed: none, removed: none };

/** The writer's last entry itself, where there is nothing new in it. */
export function ownEntry(
  last: ManagedFieldsEntry | undefined,
  writer: Writer,
  fields: FieldSet,
  time: string | undefined,
): ManagedFieldsEntry {
  const isSame =
    last !== undefined &&
    last.time === time &&
    last.apiVersion === writer.apiVersion &&
    sameJson(last.fieldsV1, fields);
  return isSame ? last : entryOf(writer, fields, time);
}

function ownsNothing({ fieldsV1 }: ManagedFieldsEntry): boolean {
  return isEmpty(fieldsV1);
}
