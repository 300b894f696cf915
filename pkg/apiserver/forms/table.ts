import type { KubeObject, ListMeta } from "../../api/meta.ts";
import { writeJson } from "../../encoding/json.ts";
import { badRequest } from "../../registry/status-errors.ts";
import { metadataText, objectText } from "./object-text.ts";
import type { TableLayout } from "./table-layout.ts";

export interface TableRequest {
  readonly layout: TableLayout;
  /** Of meta.k8s.io. */
  readonly version: string;
  /** What a row says of its object beside the cells. */
  readonly include: "Metadata" | "Object" | "None";
}

/** @throws StatusError BadRequest for what `includeObject` may not be */
export function includedIn(query: URLSearchParams): TableRequest["include"] {
  const asked = query.get("includeObject") ?? "";
  if (asked === "") return "Metadata";
  if (asked === "Metadata" || asked === "Object" || asked === "None") return asked;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/**
 * A Table as JSON.
 *
 * @param now - milliseconds since the Unix epoch: what ages are counted to
 * @param columns - false leaves the definitions out, as later events of a watch do
 */
export function tableText(
  { layout, version, include }: TableRequest,
  metadata: ListMeta,
  objects: readonly KubeObject[],
  { now, columns = true }: { now: number; columns?: boolean },
): string {
  const rows = objects.map((object) => {
    const cells = writeJson(layout.cells(object, now));
    return `{"cells":${cells},"object":${rowObject(object, version, include)}}`;
  });
  const definitions = columns ? layout.columnsText : "null";
  const head = `"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)}`;
  return `{${head},"columnDefinitions":${definitions},"rows":[${rows.join(",")}]}`;
}

function rowObject(object: KubeObject, version: string, include: TableRequest["include"]): string {
  if (include === "None") return "null";
  return include === "Object" ? objectText(object) : metadataText(object, version);
}
