import { itemsOf } from "../values/lists.ts";
import { CelList, CelMap, Opaque, sizeOf, type Value, type Work } from "../values/value.ts";

/** What a call with these arguments costs. */
export type Cost = (args: readonly Value[], work: Work) => number;

/** Reading ten characters costs one unit. */
export const charCost = 0.1;
/** Four characters of a pattern are taken for one state of its machine. */
const patternCost = 0.25;
/** Of making a list or a map. */
export const listCost = 10;
export const mapCost = 30;

/** Of reading the first argument once. */
export const readFirst: Cost = ([value]) => Math.ceil(size(value) * charCost);

/** Of reading the first argument and building something as long. */
export const copyFirst: Cost = ([value]) => Math.ceil(size(value) * 2 * charCost);

/** Of comparing two values up to the end of the shorter one. */
export const readShorter: Cost = ([left, right]) => Math.ceil(Math.min(size(left), size(right)) * charCost);

/** The same, but that Kubernetes' own values cost 1 whatever their size. */
export const compared: Cost = (args, work) => (args[0] instanceof Opaque ? 1 : readShorter(args, work));

export const readBoth: Cost = ([left, right]) => Math.ceil((size(left) + size(right)) * charCost);

/** Of matching the first argument, a text, against the second, a pattern. */
export const matched: Cost = ([text, pattern]) => matching(size(text), size(pattern));

export function matching(textLength: number, patternLength: number): number {
  return Math.ceil((1 + textLength) * charCost) * Math.ceil(patternLength * patternCost);
}

/** Of reading everything in the first argument, all the way down. */
export const traversed: Cost = ([value], work) => traversal(value ?? null, work);

function traversal(value: Value, work: Work): number {
  if (typeof value === "string") return Math.floor(Buffer.byteLength(value) * charCost);
  if (value instanceof Uint8Array) return Math.floor(value.length * charCost);
  let cost = 0;
  if (value instanceof CelList) {
    for (const item of itemsOf(value)) {
      work.toil(1);
      cost += traversal(item, work);
    }
    return cost;
  }
  if (!(value instanceof CelMap)) return 1;
  for (const key of value.keys()) {
    work.toil(1);
    cost += traversal(key, work) + traversal(value.find(key) ?? null, work);
  }
  return cost;
}

export function size(value: Value | undefined): number {
  return value === undefined ? 1 : sizeOf(value);
}
