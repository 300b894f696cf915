import { type FieldSet, isEmpty, isMember, memberWith, none } from "./field-set.ts";
import { type FieldType, stepTo } from "./field-type.ts";
import { type Managers, withFields } from "./managers.ts";
import type { Versions } from "./versions.ts";

/**
 * The owners by today's schema: who owned a part of what has since become one value owns that value. The other way needs
 * nothing: who owns a whole keeps it. The same list where nothing changes.
 *
 * @param fitting - the version of which all fields are known to fit; undefined: none
 */
export function reconcile(versions: Versions, managers: Managers, fitting: string | undefined): Managers {
  if (managers.every(({ apiVersion }) => apiVersion === fitting)) return managers;
  const result = managers.map((entry) => {
    const type = entry.apiVersion === fitting ? undefined : versions.typeIn(entry.apiVersion);
    return type === undefined ? entry : withFields(entry, reconcileBeneath(type, entry.fieldsV1));
  });
  return result.every((entry, i) => entry === managers[i]) ? managers : result;
}

function reconcileBeneath(type: FieldType, fields: FieldSet): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element of Object.keys(fields)) {
    const beneath = fields[element] as FieldSet;
    if (element === "." || isEmpty(beneath)) continue;
    const inner = innerType(type, element);
    if (inner === undefined) continue;
    const next = isOneValue(inner) ? none : reconcileBeneath(inner, beneath);
    if (next === beneath) continue;
    result ??= { ...fields };
    result[element] = isMember(beneath) ? memberWith(next) : next;
  }
  return result ?? fields;
}

function innerType({ map, list }: FieldType, element: string): FieldType | undefined {
  if (element.startsWith("f:")) {
    const name = element.slice(2);
    return map === undefined || (map.others === undefined && !map.fields.has(name))
      ? undefined
      : stepTo(map, name).type;
  }
  return element.startsWith("k:") || element.startsWith("v:") ? list?.items : undefined;
}

function isOneValue({ map, scalar, list }: FieldType): boolean {
  if (map !== undefined) return map.atomic;
  return scalar === undefined && list?.relation === "atomic";
}
