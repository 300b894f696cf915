/** From files to objects: a person's edit of one file, as one transaction. */
import { writeJson } from "../../encoding/json.ts";
import type { FileObject } from "./file-objects.ts";
import type { FilesState } from "./files-state.ts";
import { type JsonMap, pathString } from "./json.ts";
import { type EditProblem, personEdits, statusProblems } from "./person-edits.ts";
import { missingRecord, projectingRecord } from "./records.ts";
import { reportedObject, reportReasons } from "./report.ts";

export interface EditedFile {
  path: string;
  text: string;
  objects: readonly FileObject[];
}

export interface Problem {
  object: FileObject | undefined;
  line: number;
  message: string;
}

/**
 * Applies the difference between what `before` says of the file's objects and what it says now. Refused, it changes
 * nothing, and the file's last text stays in force.
 */
export async function takeEdit(
  state: FilesState,
  { path, text, objects }: EditedFile,
  before: (id: string) => JsonMap | undefined,
): Promise<void> {
  const { records, owners, admission } = state;
  const own = objects.filter(
    ({ id, index }) => owners.get(id)?.path === path && owners.get(id)?.index === index,
  );
  const written = writtenBefore(state, path);
  const { edits, problems, undone } = personEdits(
    own,
    (id) => before(id) ?? state.missingOf(id)?.value,
    (id) => written.find((object) => object.id === id)?.value,
    admission,
  );
  if (problems.length > 0) return refuse(state, path, text, problems.map(located));

  const found = own.filter(({ id }) => records.missing.has(id));
  const result = await state.transact(
    edits.map(({ edit }) => edit),
    [
      { path, text },
      ...found.map(({ id }) => missingRecord(id, undefined)),
      ...(records.projecting.has(path) ? [projectingRecord(path, undefined)] : []),
    ],
  );
  if (!result.admitted) {
    const refusals = result.errors.flatMap(({ edit, error }) => {
      const object = edits.find((each) => each.edit === edit)?.object;
      return object === undefined ? [] : statusProblems(object, error);
    });
    return refuse(state, path, text, refusals.map(located));
  }
  state.refused.delete(path);
  for (const { id } of own) state.dirty.add(id);
  for (const { object, path: field, value } of undone) {
    state.report({
      object: reportedObject(object),
      type: "Warning",
      reason: reportReasons.editOverrode,
      message:
        `${path}:${object.line(field)}: your edit of ${pathString(field)} replaced ${writeJson(value ?? null)}, ` +
        "which was set through the API after the file was last written.",
    });
  }
}

/** Tells why `text` is not taken, and remembers it until the file changes. Who saves again with the same fault knows it. */
export function refuse(
  { refused, report }: FilesState,
  path: string,
  text: string,
  problems: readonly Problem[],
): void {
  const messages: string[] = [];
  const known = refused.get(path)?.faults ?? [];
  refused.set(path, { text, faults: problems.map(faultOf), messages });
  for (const problem of problems) {
    const { object, line } = problem;
    const message =
      `${path}:${line}: ${problem.message.replace(/\.?$/, ".")} Nothing of this edit was taken; what the file last said ` +
      "stays in force.";
    messages.push(message);
    if (known.includes(faultOf(problem))) continue;
    report({
      object: object === undefined ? undefined : reportedObject(object),
      type: "Warning",
      reason: object === undefined ? reportReasons.invalidFile : reportReasons.editRejected,
      message,
    });
  }
}

function faultOf({ object, message }: Problem): string {
  return `${object?.id ?? ""} ${message}`;
}

/** What a crash may have left in the file is not the person's doing. */
function writtenBefore({ records, objectsIn }: FilesState, path: string): readonly FileObject[] {
  const text = records.projecting.get(path);
  const read = text === undefined ? undefined : objectsIn(path, text);
  return read?.valid ? read.objects : [];
}

function located({ object, path, message }: EditProblem): Problem {
  return { object, line: object.line(path), message };
}
