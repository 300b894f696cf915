import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { goJson } from "../go-json.ts";
import { deepFreeze, isObject, type Json } from "../json.ts";
import { canonical, type FieldSet, hasChildren, none } from "./field-set.ts";
import { readPathElement } from "./path-element.ts";

/** Who owns which fields of an object, in the order in which kube-apiserver lists them. */
export type Managers = readonly ManagedFieldsEntry[];

/** One writer as an object's managedFields know it. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** Empty: the object itself. */
  readonly subresource: string;
}

/** An applier is the same whatever version it applies; an updater of another version is another. */
export function isBy(entry: ManagedFieldsEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    (entry.subresource ?? "") === writer.subresource &&
    (entry.operation === "Apply" || entry.apiVersion === writer.apiVersion)
  );
}

/** A text that is the same for entries of one writer, and orders writers as kube-apiserver does. */
export function identityOf({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const version = operation === "Apply" ? "" : `,"apiVersion":${goJson(apiVersion)}`;
  const of = subresource === undefined ? "" : `,"subresource":${goJson(subresource)}`;
  return `{"manager":${goJson(manager)},"operation":"${operation}"${version}${of}}`;
}

/** @param time - RFC 3339, to the second; undefined: the writer changed no value yet */
export function entryOf(writer: Writer, fields: FieldSet, time: string | undefined): ManagedFieldsEntry {
  return deepFreeze({
    apiVersion: writer.apiVersion,
    fieldsType: "FieldsV1",
    fieldsV1: canonical(fields),
    manager: writer.manager,
    operation: writer.operation,
    ...(writer.subresource === "" ? {} : { subresource: writer.subresource }),
    ...(time === undefined ? {} : { time }),
  });
}

/** `entry` with other fields; itself when they are its own. */
export function withFields(entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry {
  return fields === entry.fieldsV1 ? entry : deepFreeze({ ...entry, fieldsV1: canonical(fields) });
}

/** `managers` in order; `like` itself when it has the same entries in that order. */
export function inOrder(managers: readonly ManagedFieldsEntry[], like: Managers): Managers {
  const sorted = isSorted(managers) ? managers : [...managers].sort(compareEntries);
  const same = sorted.length === like.length && sorted.every((entry, i) => entry === like[i]);
  return same ? like : Object.freeze(sorted);
}

function isSorted(managers: readonly ManagedFieldsEntry[]): boolean {
  for (let i = 1; i < managers.length; i++) {
    if (compareEntries(managers[i - 1] as ManagedFieldsEntry, managers[i] as ManagedFieldsEntry) > 0)
      return false;
  }
  return true;
}

/** Whether two lists differ in nothing but times. */
export function sameButTimes(a: Managers, b: Managers): boolean {
  return a === b || (a.length === b.length && a.every((entry, i) => isSameButTime(entry, b[i])));
}

function isSameButTime(a: ManagedFieldsEntry, b: ManagedFieldsEntry | undefined): boolean {
  return (
    a === b ||
    (b !== undefined &&
      a.manager === b.manager &&
      a.operation === b.operation &&
      a.apiVersion === b.apiVersion &&
      a.subresource === b.subresource &&
      sameJson(a.fieldsV1, b.fieldsV1))
  );
}

/** Whether a client that sends `managedFields` wants them forgotten: one empty entry stands for that. */
export function isReset(managedFields: readonly unknown[]): boolean {
  const [entry] = managedFields;
  return managedFields.length === 1 && isObject(entry) && Object.keys(entry).length === 0;
}

/** What a client sent as `managedFields`, made canonical; undefined where it says nothing that makes sense. */
export function readManagers(managedFields: readonly unknown[]): Managers | undefined {
  const entries = new Map<string, ManagedFieldsEntry>();
  try {
    for (const sent of managedFields) {
      const entry = readEntry(sent as Json);
      entries.set(identityOf(entry), entry);
    }
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
  return inOrder([...entries.values()], []);
}

function readEntry(sent: Json): ManagedFieldsEntry {
  if (!isObject(sent)) throw new TypeError("an entry must be an object");
  const { operation, apiVersion, fieldsType, fieldsV1 = {}, manager = "", subresource = "", time } = sent;
  if (operation !== "Apply" && operation !== "Update") {
    throw new TypeError("operation must be `Apply` or `Update`");
  }
  if (typeof apiVersion !== "string" || apiVersion === "")
    throw new TypeError("apiVersion must not be empty");
  if (fieldsType !== "FieldsV1") throw new TypeError("fieldsType must be FieldsV1");
  if (typeof manager !== "string" || typeof subresource !== "string") {
    throw new TypeError("manager and subresource must be strings");
  }
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  const writer = { manager, operation, apiVersion, subresource } as const;
  return entryOf(writer, readFields(fieldsV1), Number.isNaN(at) ? undefined : secondsOf(at));
}

/** RFC 3339, to the second. @param ms - since the Unix epoch */
export function secondsOf(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (last.second !== second) {
    last.second = second;
    last.text = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
  }
  return last.text;
}

/** Writes come many a second. */
const last = { second: Number.NaN, text: "" };

function readFields(sent: Json): FieldSet {
  if (!isObject(sent)) throw new TypeError("fields must be an object");
  const fields: Record<string, FieldSet> = {};
  for (const key of Object.keys(sent)) {
    const element = key === "." ? undefined : readPathElement(key);
    if (element === undefined) continue;
    const beneath = readFields(sent[key] as Json);
    const isItself = Object.hasOwn(sent[key] as object, ".");
    if (!hasChildren(beneath)) fields[element] = none;
    else fields[element] = isItself ? { ".": none, ...beneath } : beneath;
  }
  return fields;
}

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? "", b.time ?? "") ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? "", b.subresource ?? "")
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
