import { sameJson } from "../../api/same-json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldType, kindOf, type ListType, type MapType, stepTo } from "./field-type.ts";
import { itemElement } from "./list-item.ts";

/**
 * `live` with all that `config` says: leaves are the config's, maps and keyed lists are merged, nothing is removed.
 * Parts that stay equal are shared with `live`; where all does, `live` itself is returned.
 *
 * Items that both have come in the config's order, the others stay where they are.
 */
export function merge(type: FieldType, live: JsonObject, config: JsonObject): JsonObject {
  return type.map === undefined ? config : (mergeMaps(type.map, live, config) as JsonObject);
}

function mergeNodes(type: FieldType, live: Json | undefined, config: Json): Json {
  if (live === undefined || live === config) return config;
  const kind = kindOf(type, config);
  if (kind === "list" && type.list !== undefined) {
    const [was, says] = [Array.isArray(live) ? live : [], Array.isArray(config) ? config : []];
    if (type.list.relation === "atomic" || (was.length === 0 && says.length === 0)) return leaf(live, config);
    return mergeLists(type.list, was, says);
  }
  if (kind === "map" && type.map !== undefined) {
    const [was, says] = [isObject(live) ? live : {}, isObject(config) ? config : {}];
    if (type.map.atomic || (isEmptyMap(was) && isEmptyMap(says))) return leaf(live, config);
    return mergeMaps(type.map, was, says);
  }
  return leaf(live, config);
}

function leaf(live: Json, config: Json): Json {
  return sameJson(live, config) ? live : config;
}

function mergeMaps(type: MapType, live: JsonObject, config: JsonObject): Json {
  let merged: Record<string, Json> | undefined;
  for (const name of Object.keys(config)) {
    const value = config[name];
    if (value === undefined) continue;
    // A key may be `constructor`, which every object inherits.
    const was = Object.hasOwn(live, name) ? live[name] : undefined;
    const next = mergeNodes(stepTo(type, name).type, was, value);
    if (next === was) continue;
    merged ??= { ...live };
    merged[name] = next;
  }
  return merged ?? live;
}

function mergeLists(type: ListType, live: readonly Json[], config: readonly Json[]): Json {
  const [was, says] = [identified(type, live), identified(type, config)];
  const merged: Json[] = [];
  const take = (element: string): void => {
    const item = says.items.get(element) as Json;
    // Nothing tells which of several items of one identity is meant: they are replaced.
    merged.push(was.repeated.has(element) ? item : mergeNodes(type.items, was.items.get(element), item));
  };
  // The items that both have, in the config's order: the next one to come is first.
  const shared = says.elements.filter((element) => was.items.has(element));
  const taken = new Set<string>();
  let [l, c] = [0, 0];
  while (l < was.elements.length || c < says.elements.length) {
    const [ours, theirs] = [was.elements[l], says.elements[c]];
    if (ours !== undefined && ours === theirs) {
      taken.add(ours);
      take(ours);
      [l, c] = [l + 1, c + 1];
      shared.shift();
      continue;
    }
    if (ours !== undefined && theirs !== undefined && says.items.has(ours) && shared[0] !== undefined) {
      if (shared[0] !== ours) {
        // It comes where the config has it.
        l++;
        continue;
      }
    }
    if (ours !== undefined) {
      if (!says.items.has(ours)) {
        merged.push(live[l] as Json);
        l++;
        continue;
      }
      if (taken.has(ours)) l++;
    }
    if (theirs !== undefined) {
      taken.add(theirs);
      take(theirs);
      c++;
      if (shared[0] === theirs) shared.shift();
    }
  }
  return merged.length === live.length && merged.every((item, i) => item === live[i]) ? live : merged;
}

interface Identified {
  readonly elements: readonly string[];
  readonly items: ReadonlyMap<string, Json>;
  readonly repeated: ReadonlySet<string>;
}

function identified(type: ListType, list: readonly Json[]): Identified {
  const elements = list.map((item) => itemElement(type, item));
  const items = new Map<string, Json>();
  const repeated = new Set<string>();
  for (const [i, element] of elements.entries()) {
    if (items.has(element)) repeated.add(element);
    else items.set(element, list[i] as Json);
  }
  return { elements, items, repeated };
}

function isEmptyMap(map: JsonObject): boolean {
  return Object.keys(map).length === 0;
}
