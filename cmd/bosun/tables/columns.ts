/** Which columns a kind's table has, and what an object puts into them. */
import { KINDS, type PrinterColumn } from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { columnValue } from "../../../pkg/encoding/column-value.ts";
import { compileJsonPath } from "../../../pkg/encoding/json-path.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";

export type Column = PrinterColumn;

/** The columns that the kind's definition in crds/ declares, NAME not among them. */
export function columnsOf(kind: Kind, { wide }: { wide: boolean }): readonly Column[] {
  return KINDS[kind].columns.filter(({ priority = 0 }) => wide || priority === 0);
}

/** `NAME` and the columns' names in capitals; Events have no name worth showing. */
export function headerOf(kind: Kind, columns: readonly Column[]): string[] {
  const names = columns.map(({ name }) => name.toUpperCase());
  return kind === "Event" ? names : ["NAME", ...names];
}

/** The cells of one object of `kind`, which items of a list need not say themselves. */
export function rowOf(kind: Kind, object: KubeObject, columns: readonly Column[], now: number): string[] {
  const cells = columns.map((column) => cellOf(object, column, now));
  return kind === "Event" ? cells : [object.metadata.name, ...cells];
}

function cellOf(object: KubeObject, { jsonPath, type }: Column, now: number): string {
  const value = columnValue(object, compileJsonPath(jsonPath), type, (time) => ageOf(time, now));
  // A line break would tear the table apart.
  return value === null ? "" : String(value).replaceAll(/\s*\n\s*/g, " ");
}
