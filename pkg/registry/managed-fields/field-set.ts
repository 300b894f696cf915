import type { FieldsV1 } from "../../api/meta.ts";
import { comparePathElements } from "./path-element.ts";

/**
 * A set of fields of an object: `fieldsV1` itself, as managedFields shows it, so that nothing is parsed or written.
 *
 * Its keys are path elements. What stands beneath one is the set of fields beneath that field, with "." where the field
 * itself is in the set too; an empty object says that the field itself is in the set and nothing beneath it. An empty
 * set therefore stands beneath no element, and "." not at the root. Sets are immutable and share structure.
 */
export type FieldSet = FieldsV1;

/** No field; beneath a path element: the field itself alone. */
export const none: FieldSet = Object.freeze({});

export function isEmpty(set: FieldSet): boolean {
  for (const _element in set) return false;
  return true;
}

/** The fields that are in `a` or in `b`; `a` itself when it has them all. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  let result: Record<string, FieldSet> | undefined;
  for (const element of Object.keys(b)) {
    const theirs = b[element] as FieldSet;
    const ours = a[element];
    const both = ours === undefined ? theirs : unionBeneath(ours, theirs);
    if (both === ours) continue;
    result ??= { ...a };
    result[element] = both;
  }
  return result ?? a;
}

/** The fields of `a` that are not in `b`; what is beneath a field of `b` stays. `a` itself when it loses nothing. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return none;
  let result: Record<string, FieldSet> | undefined;
  for (const element of Object.keys(b)) {
    const ours = a[element];
    if (ours === undefined) continue;
    const rest = differenceBeneath(ours, b[element] as FieldSet);
    if (rest === ours) continue;
    result ??= { ...a };
    if (rest === undefined) delete result[element];
    else result[element] = rest;
  }
  return result ?? a;
}

/** The fields that are in both; `a` itself when they are all in `b`. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const result: Record<string, FieldSet> = {};
  let same = true;
  for (const element of Object.keys(a)) {
    const ours = a[element] as FieldSet;
    const theirs = b[element];
    const both = theirs === undefined ? undefined : intersectionBeneath(ours, theirs);
    if (both !== ours) same = false;
    if (both !== undefined) result[element] = both;
  }
  return same ? a : result;
}

/** `set` without the field at `path` and all beneath it; `set` itself when there is none. */
export function withoutTree(set: FieldSet, path: readonly string[]): FieldSet {
  const [element, ...rest] = path;
  if (element === undefined) return none;
  const beneath = set[element];
  if (beneath === undefined) return set;
  const left = rest.length === 0 ? none : withoutTree(beneath, rest);
  if (left === beneath && rest.length > 0) return set;
  const { [element]: _removed, ...others } = set;
  // What held only what is gone is no field of the set: it would look like one.
  return isEmpty(left) ? others : { ...others, [element]: tidy(left) };
}

/** Whether the field at `path` is in the set. */
export function has(set: FieldSet, path: readonly string[]): boolean {
  const beneath = at(set, path);
  return path.length > 0 && beneath !== undefined && isMember(beneath);
}

/** What the set has beneath `path`, as it stands there; undefined: nothing. */
export function at(set: FieldSet, path: readonly string[]): FieldSet | undefined {
  return path.reduce<FieldSet | undefined>((found, element) => found?.[element], set);
}

/** The set that holds the field at `path` alone. */
export function single(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((beneath, element) => ({ [element]: beneath }), none);
}

/** Whether what stands beneath a path element says that the field itself is in the set. */
export function isMember(beneath: FieldSet): boolean {
  return beneath["."] !== undefined || isEmpty(beneath);
}

/** Whether what stands beneath a path element has fields beneath that field. */
export function hasChildren(beneath: FieldSet): boolean {
  for (const element in beneath) if (element !== ".") return true;
  return false;
}

/** What stands beneath a path element whose field is in the set, together with the `children` beneath it. */
export function memberWith(children: FieldSet): FieldSet {
  return isEmpty(children) || children["."] !== undefined ? children : { ".": none, ...children };
}

/** The path of each field, those of one level before those beneath them, each level in canonical order. */
export function* paths(set: FieldSet, prefix: readonly string[] = []): Iterable<readonly string[]> {
  const elements = sortedElements(set).filter((element) => element !== ".");
  for (const element of elements) if (isMember(set[element] as FieldSet)) yield [...prefix, element];
  for (const element of elements) yield* paths(set[element] as FieldSet, [...prefix, element]);
}

/** The set in the order in which kube-apiserver writes it, frozen; itself, then frozen too, where it has that order. */
export function canonical(set: FieldSet): FieldSet {
  if (Object.isFrozen(set)) return set;
  const elements = Object.keys(set);
  let same = isSorted(elements);
  if (!same) elements.sort(comparePathElements);
  const result: Record<string, FieldSet> = {};
  for (const element of elements) {
    const beneath = set[element] as FieldSet;
    const inOrder = canonical(beneath);
    if (inOrder !== beneath) same = false;
    result[element] = inOrder;
  }
  return Object.freeze(same ? set : result);
}

function isSorted(elements: readonly string[]): boolean {
  for (let i = 1; i < elements.length; i++) {
    if (comparePathElements(elements[i - 1] as string, elements[i] as string) > 0) return false;
  }
  return true;
}

function sortedElements(set: FieldSet): readonly string[] {
  return Object.keys(set).sort(comparePathElements);
}

function unionBeneath(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(a)) return memberWith(b);
  if (isEmpty(b)) return memberWith(a);
  return union(a, b);
}

function differenceBeneath(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const children = childrenOf(a);
  const left = difference(children, childrenOf(b));
  const stays = isMember(a) && !isMember(b);
  if (left === children && stays === isMember(a)) return a;
  if (stays) return memberWith(left);
  return isEmpty(left) ? undefined : left;
}

function intersectionBeneath(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a;
  const children = childrenOf(a);
  const both = intersection(children, childrenOf(b));
  const member = isMember(a) && isMember(b);
  if (both === children && member === isMember(a)) return a;
  if (member) return memberWith(both);
  return isEmpty(both) ? undefined : both;
}

function childrenOf(beneath: FieldSet): FieldSet {
  if (beneath["."] === undefined) return beneath;
  const { ".": _self, ...children } = beneath;
  return children;
}

/** A field that is in the set with nothing beneath it any more is written as such. */
function tidy(beneath: FieldSet): FieldSet {
  return hasChildren(beneath) ? beneath : none;
}
