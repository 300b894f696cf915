/** What a person's edit of one file asks for, as edits of objects. */
import type { KubeObject } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { StatusError } from "../../api/status-error.ts";
import type { Admission, Edit } from "../admission.ts";
import { declared, declaredPatch, leaves, unknownFields } from "./difference.ts";
import type { FileObject } from "./file-objects.ts";
import { isJsonMap, type JsonMap, type Path, pathString, valueAt } from "./json.ts";

export interface PersonEdits {
  edits: readonly { edit: Edit; object: FileObject }[];
  /** Refused before admission: what kubectl would refuse too, but pruning would let pass. */
  problems: readonly EditProblem[];
  /** Values that the API set since the file was last read, and that the edit replaces. */
  undone: readonly { object: FileObject; path: Path; value: unknown }[];
}

export interface EditProblem {
  object: FileObject;
  path: Path;
  message: string;
}

/**
 * @param objects - the file's objects as it is now
 * @param before - the same object as the file last said it, in this or another file
 * @param written - the same object in a text that Bosun was about to write when it crashed: such changes are its own
 */
export function personEdits(
  objects: readonly FileObject[],
  before: (id: string) => JsonMap | undefined,
  written: (id: string) => JsonMap | undefined,
  admission: Admission,
): PersonEdits {
  const edits: { edit: Edit; object: FileObject }[] = [];
  const problems: EditProblem[] = [];
  const undone: { object: FileObject; path: Path; value: unknown }[] = [];
  for (const object of objects) {
    const last = before(object.id);
    if (last !== undefined && sameJson(last, object.value)) continue;
    const meaning = meaningOf(object, admission);
    if (meaning instanceof StatusError) {
      problems.push(...statusProblems(object, meaning));
      continue;
    }
    const unknown = unknownFields(declared(object.value), meaning);
    problems.push(
      ...unknown.map((path) => ({ object, path, message: `unknown field "${pathString(path)}"` })),
    );

    const current = admission.newest(object.resource.resource, object.key);
    if (current === undefined) {
      edits.push({ edit: { verb: "create", object: asSent(object) }, object });
      continue;
    }
    const ours = written(object.id);
    const patch = declaredPatch(
      last ?? {},
      object.value,
      ({ path, value }) => ours !== undefined && sameJson(valueAt(ours, path) ?? null, value),
    );
    if (patch === undefined) continue;
    edits.push({
      edit: { verb: "merge", resource: object.resource.resource, key: object.key, patch },
      object,
    });
    if (last === undefined) continue;
    const lastMeaning = meaningOf({ ...object, value: last }, admission);
    for (const { path } of leaves(patch)) {
      const value = valueAt(current, path);
      const isSetMeanwhile = !sameJson(value, valueAt(lastMeaning, path));
      if (isSetMeanwhile && !sameJson(value, valueAt(meaning, path))) undone.push({ object, path, value });
    }
  }
  return { edits, problems, undone };
}

/** A refusal, field by field. */
export function statusProblems(object: FileObject, error: StatusError): EditProblem[] {
  const all = error.details?.causes ?? [];
  // kube-apiserver adds that it stopped looking for more: noise beside the fields themselves.
  const causes = all.some(({ field }) => isField(field)) ? all.filter(({ field }) => isField(field)) : all;
  if (causes.length === 0) return [{ object, path: [], message: error.message }];
  return causes.map(({ field = "", message }) => ({
    object,
    path: fieldPath(field),
    message: !isField(field) ? message : `${field}: ${message}`,
  }));
}

function isField(field: string | undefined): boolean {
  return field !== undefined && field !== "" && field !== "<nil>";
}

/** `spec.tasks[0].title` and `metadata.labels[bosun.dev/x]` as paths. */
function fieldPath(field: string): Path {
  const steps = field.match(/[^.[\]]+|\[[^\]]*\]/g) ?? [];
  return steps.map((step) => {
    const inner = step.replace(/^\[|\]$/g, "");
    return step.startsWith("[") && /^\d+$/.test(inner) ? Number(inner) : inner;
  });
}

function meaningOf(object: FileObject, admission: Admission): KubeObject | StatusError {
  try {
    return admission.meaning(asSent(object));
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

/** The document without what a file can't say: status and what the server sets. */
function asSent({ value }: FileObject): KubeObject {
  const { apiVersion, kind, metadata } = value;
  const { labels, annotations, name } = isJsonMap(metadata) ? metadata : {};
  const sent: JsonMap = {
    ...declared(value),
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: "default",
      ...(labels === undefined || labels === null ? {} : { labels }),
      ...(annotations === undefined || annotations === null ? {} : { annotations }),
    },
  };
  return sent as unknown as KubeObject;
}
