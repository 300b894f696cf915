import { ageOf } from "../../api/human-duration.ts";
import type { KubeObject } from "../../api/meta.ts";
import { columnValue } from "../../encoding/column-value.ts";
import { compileJsonPath, type JsonPath } from "../../encoding/json-path.ts";
import type { PrinterColumn, Resource, Table } from "../../registry/resource.ts";
import { creationTimestampDescription, nameDescription } from "../../registry/typed/kinds/meta.ts";

/** How one kind is shown as rows of cells. */
export interface TableLayout {
  /** The column definitions as JSON. */
  readonly columnsText: string;
  /** @param now - milliseconds since the Unix epoch */
  cells(object: KubeObject, now: number): readonly unknown[];
}

/** The columns of a kind: those that its definition declares, else the age; Kubernetes' own kinds bring theirs. Made once. */
export function layoutOf(resource: Resource): TableLayout {
  let layout = layouts.get(resource);
  if (layout === undefined) {
    const { builtin, printerColumns } = resource;
    layout =
      builtin === undefined
        ? compile(printerColumns.length === 0 ? [ageColumn] : printerColumns)
        : builtinLayout(builtin.table);
    layouts.set(resource, layout);
  }
  return layout;
}

/** The columns of the Scale of any kind. */
export function scaleLayoutOf({ scale }: Resource): TableLayout {
  const path = (keys: readonly string[] = []) => `.${keys.join(".")}`;
  return compile([
    {
      name: "Desired",
      type: "integer",
      description: "Number of desired replicas",
      jsonPath: path(scale?.specReplicas),
    },
    {
      name: "Available",
      type: "integer",
      description: "Number of actual replicas",
      jsonPath: path(scale?.statusReplicas),
    },
    ageColumn,
  ]);
}

const layouts = new WeakMap<Resource, TableLayout>();

const ageColumn: PrinterColumn = {
  name: "Age",
  type: "date",
  description: creationTimestampDescription,
  jsonPath: ".metadata.creationTimestamp",
};

interface CompiledColumn {
  readonly column: PrinterColumn;
  readonly find: JsonPath;
}

function compile(declared: readonly PrinterColumn[]): TableLayout {
  const columns = readable(declared);
  const definitions = columns.map(({ column }) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description:
      column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
  }));
  const name = { name: "Name", type: "string", format: "name", description: nameDescription, priority: 0 };
  return {
    columnsText: JSON.stringify([name, ...definitions]),
    cells: (object, now) => [
      // A bookmark has none.
      object.metadata.name ?? "",
      ...columns.map(({ column, find }) =>
        columnValue(object, find, column.type, (time) => ageOf(time, now)),
      ),
    ],
  };
}

function builtinLayout({ columns, cells }: Table): TableLayout {
  return {
    columnsText: JSON.stringify(columns),
    cells: (object, now) => cells(object, (time) => ageOf(time, now)),
  };
}

/** The columns up to the first whose path cannot be read, as kube-apiserver falls back. */
function readable(declared: readonly PrinterColumn[]): readonly CompiledColumn[] {
  const columns: CompiledColumn[] = [];
  for (const column of declared) {
    try {
      columns.push({ column, find: compileJsonPath(column.jsonPath) });
    } catch (error) {
      if (error instanceof SyntaxError) break;
      throw error;
    }
  }
  return columns;
}
