import { isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldSet, hasChildren, isMember } from "./field-set.ts";
import { type FieldType, kindOf, stepTo } from "./field-type.ts";
import { itemElement } from "./list-item.ts";

/**
 * `value` without the fields and list items of `fields` and what is in them. Null where a part of it loses all; parts
 * that lose nothing are shared.
 */
export function remove(type: FieldType, value: JsonObject, fields: FieldSet): JsonObject {
  const left = removeBeneath(type, value, fields);
  return isObject(left) ? left : {};
}

function removeBeneath(type: FieldType, value: Json, fields: FieldSet): Json {
  const kind = kindOf(type, value);
  if (kind === "list" && type.list !== undefined) {
    if (!Array.isArray(value) || type.list.relation === "atomic") return null;
    const { list } = type;
    const left = value.flatMap((item) => {
      const beneath = fields[itemElement(list, item)];
      if (beneath === undefined) return [item];
      return isMember(beneath) ? [] : [removeBeneath(list.items, item, beneath)];
    });
    return left.length > 0 ? left : null;
  }
  if (kind === "map" && type.map !== undefined) {
    if (!isObject(value) || type.map.atomic) return null;
    const left: Record<string, Json> = {};
    let same = true;
    for (const name of Object.keys(value)) {
      const item = value[name] as Json;
      const step = stepTo(type.map, name);
      const beneath = fields[step.element];
      if (beneath === undefined) {
        left[name] = item;
        continue;
      }
      same = false;
      if (isMember(beneath)) continue;
      if (hasChildren(beneath)) left[name] = removeBeneath(step.type, item, beneath);
    }
    if (same) return value;
    return Object.keys(left).length > 0 ? left : null;
  }
  return value;
}
