/** Which columns a kind's table has, and what an object puts into them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { KINDS } from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import { packageRoot } from "../package-root.ts";
import { valueAt } from "./json-path.ts";

/** A printer column of a CustomResourceDefinition. */
export interface Column {
  name: string;
  type: string;
  jsonPath: string;
  /** Above 0: with `-o wide` only. */
  priority?: number;
}

/** An Event is no custom resource; these are kubectl's columns of it. */
const eventColumns: readonly Column[] = [
  { name: "Last Seen", type: "date", jsonPath: ".lastTimestamp" },
  { name: "Type", type: "string", jsonPath: ".type" },
  { name: "Reason", type: "string", jsonPath: ".reason" },
  { name: "Kind", type: "string", jsonPath: ".involvedObject.kind" },
  { name: "Object", type: "string", jsonPath: ".involvedObject.name" },
  { name: "Message", type: "string", jsonPath: ".message" },
];

/** The columns that the kind's definition in crds/ declares, NAME not among them. */
export function columnsOf(kind: Kind, { wide }: { wide: boolean }): readonly Column[] {
  const columns = kind === "Event" ? eventColumns : declaredColumns(kind);
  return columns.filter(({ priority = 0 }) => wide || priority === 0);
}

function declaredColumns(kind: Kind): readonly Column[] {
  const { singular, version } = KINDS[kind];
  const crd = parse(readFileSync(path.join(packageRoot(), "crds", `${singular}.yaml`), "utf8"));
  const served = crd.spec.versions.find((candidate: { name: string }) => candidate.name === version);
  return served.additionalPrinterColumns ?? [];
}

/** `NAME` and the columns' names in capitals; Events have no name worth showing. */
export function headerOf(kind: Kind, columns: readonly Column[]): string[] {
  const names = columns.map(({ name }) => name.toUpperCase());
  return kind === "Event" ? names : ["NAME", ...names];
}

/** The cells of one object. */
export function rowOf(object: KubeObject, columns: readonly Column[], now: number): string[] {
  const cells = columns.map((column) => cellOf(valueAt(object, column.jsonPath), column, now));
  return object.kind === "Event" ? cells : [object.metadata.name, ...cells];
}

function cellOf(value: unknown, { type }: Column, now: number): string {
  if (value === undefined || value === null) return "";
  if (type === "date") return ageOf(String(value), now);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  // A line break would tear the table apart.
  return text.replaceAll(/\s*\n\s*/g, " ");
}
