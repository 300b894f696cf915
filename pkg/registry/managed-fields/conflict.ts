import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { type FieldSet, paths } from "./field-set.ts";
import { identityOf } from "./managers.ts";
import { printPath } from "./path-element.ts";

/** A field that another owner set to another value. */
export interface Conflict {
  readonly owner: ManagedFieldsEntry;
  readonly path: readonly string[];
}

/** The fields of `fields`, which `owner` owns, as conflicts. */
export function conflictsOf(owner: ManagedFieldsEntry, fields: FieldSet): readonly Conflict[] {
  return [...paths(fields)].map((path) => ({ owner, path }));
}

/** An apply was refused: it would change what others own. */
export class ApplyConflict extends Error {
  override readonly name = "ApplyConflict";
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(messageOf(conflicts));
    this.conflicts = conflicts;
  }
}

/** As kube-apiserver answers it. */
export function conflictStatus({ message, conflicts }: ApplyConflict): StatusError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${printOwner(owner)}`,
    field: printPath(path),
  }));
  return new StatusError(409, "Conflict", message, { causes });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${printOwner(first.owner)}: ${printPath(first.path)}`;
  }
  const byOwner = new Map<string, Conflict[]>();
  for (const conflict of conflicts) {
    const id = identityOf(conflict.owner);
    byOwner.set(id, [...(byOwner.get(id) ?? []), conflict]);
  }
  const lines = [...byOwner]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, [one, ...more]]) => {
      const all = one === undefined ? more : [one, ...more];
      const owner = one === undefined ? "" : printOwner(one.owner);
      return [`conflicts with ${owner}:`, ...all.map(({ path }) => `- ${printPath(path)}`)];
    });
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

function printOwner({ manager, subresource, operation, apiVersion }: ManagedFieldsEntry): string {
  const where = subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  const version = operation === "Update" ? ` using ${apiVersion}` : "";
  return `${JSON.stringify(manager)}${where}${version}`;
}
