import type { ManagedFieldsEntry } from "../../api/meta.ts";
import type { JsonObject } from "../json.ts";
import { cap } from "./cap.ts";
import { type Comparison, compare } from "./compare.ts";
import { difference, type FieldSet, isEmpty, union } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { FieldTypeError } from "./field-type-error.ts";
import { entryOf, inOrder, isBy, type Managers, secondsOf, type Writer, withFields } from "./managers.ts";
import { markFitting, reconcile } from "./reconcile.ts";
import { withoutServerFields } from "./server-fields.ts";

export interface Tracked {
  readonly type: FieldType;
  /** The object before; for a new one what its kind has of itself. */
  readonly live: JsonObject;
  /** The owners before. */
  readonly managers: Managers;
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
  const { type, live, managers, ignored, nowMs } = before;
  let changes: Comparison;
  try {
    changes = compare(type, live, next, ignored);
  } catch (error) {
    // An object that does not fit its type is refused later, or has lists of which nothing can be said.
    if (error instanceof FieldTypeError) return managers;
    throw error;
  }
  const { changed, removed } = changes;
  const mine = withoutServerFields(changed);
  if (isEmpty(changed) && isEmpty(removed) && !managers.some(ownsNothing)) return managers;
  const owners: ManagedFieldsEntry[] = [];
  const now = isEmpty(mine) ? "" : secondsOf(nowMs);
  let last: ManagedFieldsEntry | undefined;
  let own: FieldSet = mine;
  for (const entry of reconcile(type, managers)) {
    const left = difference(entry.fieldsV1, removed);
    if (!isEmpty(mine) && isBy(entry, writer)) {
      last = entry;
      own = union(left, mine);
    } else {
      const fields = difference(left, changed);
      if (!isEmpty(fields)) owners.push(withFields(entry, fields));
    }
  }
  if (last !== undefined && last.fieldsV1 === own && last.time === now) owners.push(last);
  else if (!isEmpty(mine)) owners.push(entryOf(writer, own, now));
  return markFitting(type, inOrder(cap(owners), managers));
}

function ownsNothing({ fieldsV1 }: ManagedFieldsEntry): boolean {
  return isEmpty(fieldsV1);
}
