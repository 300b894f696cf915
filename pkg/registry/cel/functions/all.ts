import type { Scope } from "../check/checker.ts";
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  string,
  type Type,
  timestamp,
  typeOf,
  uint,
} from "../check/type.ts";
import { conversions } from "./conversions.ts";
import { lists } from "./lists.ts";
import { formatType, namedFormats } from "./named-formats.ts";
import { cidrType, ipType, networks } from "./networks.ts";
import { operators } from "./operators.ts";
import { optionals } from "./optionals.ts";
import type { Functions, Overload } from "./overload.ts";
import { patterns } from "./patterns.ts";
import { quantities, quantityType } from "./quantities.ts";
import { semvers, semverType } from "./semvers.ts";
import { sets } from "./sets.ts";
import { strings } from "./strings.ts";
import { times } from "./times.ts";
import { urls, urlType } from "./urls.ts";

/**
 * All that a rule of a CRD may call in Kubernetes 1.36. Not there, as a cluster would refuse them too: `cel.bind`,
 * `math`, `base64`, `string.reverse`. Not here: the authorizer and JSON patches, which no CRD's rule can use.
 */
export const functions: Functions = merged([
  operators,
  conversions,
  strings,
  lists,
  sets,
  patterns,
  times,
  optionals,
  urls,
  quantities,
  networks,
  namedFormats,
  semvers,
]);

/** Types that can be named. */
export const types: Scope["types"] = new Map<string, Type>([
  ...[bool, bytes, double, duration, dyn, int, nullType, string, timestamp, uint].map(
    (type) => [type.name, type] as const,
  ),
  ["list", listOf(dyn)],
  ["map", mapOf(dyn, dyn)],
  ["type", typeOf(dyn)],
  ["optional_type", optionalOf(dyn)],
  ...[urlType, quantityType, ipType, cidrType, formatType, semverType].map(
    (type) => [type.name, type] as const,
  ),
]);

function merged(libraries: readonly Readonly<Record<string, readonly Overload[]>>[]): Functions {
  const all = new Map<string, readonly Overload[]>();
  for (const library of libraries) {
    for (const [name, overloads] of Object.entries(library)) {
      all.set(name, [...(all.get(name) ?? []), ...overloads]);
    }
  }
  return all;
}
