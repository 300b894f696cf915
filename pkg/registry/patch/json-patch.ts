import { deepEqual, isObject, type Json } from "../json.ts";

/** A JSON patch could not be applied: a failed test, a missing path, an unknown operation. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
}

/** The most operations one patch may have, as in kube-apiserver. */
export const maxJsonPatchOperations = 10_000;

/**
 * `target` with a JSON patch applied. As kube-apiserver's library has it, and beyond the RFC: `replace` of a
 * missing key adds it, `test` of a missing key against null passes, a negative index counts from the end.
 *
 * @throws JsonPatchError when an operation does not apply; nothing is changed then
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function jsonPatch(target: Json, operations: readonly Json[]): Json {
  return operations.reduce<Json>((document, operation) => applyOne(document, operation), target);
}

function applyOne(document: Json, operation: Json): Json {
  if (!isObject(operation)) throw new JsonPatchError("An operation must be an object.");
  const path = pointer(operation.path, "path");
  switch (operation.op) {
    case "add":
      return put(document, path, operand(operation), "insert");
    case "replace":
      return put(document, path, operand(operation), "replace");
    case "remove":
      return remove(document, path);
    case "test":
      return test(document, path, operation.value ?? null);
    case "copy":
      return put(document, path, read(document, pointer(operation.from, "from")), "insert");
    case "move": {
      const from = pointer(operation.from, "from");
      return put(remove(document, from), path, read(document, from), "insert");
    }
    default:
      throw new JsonPatchError(`Unknown operation ${JSON.stringify(operation.op)}.`);
  }
}

function pointer(value: Json | undefined, field: string): readonly string[] {
  if (typeof value !== "string") throw new JsonPatchError(`\`${field}\` must be a string.`);
  if (value === "") return [];
  if (!value.startsWith("/")) throw new JsonPatchError(`\`${field}\` must begin with "/".`);
  return value
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function operand(operation: { readonly [key: string]: Json }): Json {
  if (operation.value === undefined) throw new JsonPatchError("`value` is missing.");
  return operation.value;
}

function test(document: Json, path: readonly string[], expected: Json): Json {
  const found = find(document, path);
  if (!deepEqual(found ?? null, expected)) throw new JsonPatchError(`The test of /${path.join("/")} failed.`);
  return document;
}

function read(document: Json, path: readonly string[]): Json {
  const found = find(document, path);
  if (found === undefined) throw new JsonPatchError(`/${path.join("/")} does not exist.`);
  return found;
}

function find(document: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = document;
  for (const part of path) {
    if (Array.isArray(at)) at = at[index(part, at.length)];
    else if (isObject(at) && Object.hasOwn(at, part)) at = at[part];
    else return undefined;
  }
  return at;
}

/** Rebuilds the spine from the root to `path`; everything beside it is shared. */
function put(at: Json, path: readonly string[], value: Json, mode: "insert" | "replace"): Json {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(at)) {
    const list = [...at];
    if (rest.length > 0) {
      const i = index(part, list.length);
      list[i] = put(list[i] as Json, rest, value, mode);
    } else if (mode === "replace") {
      list[index(part, list.length)] = value;
    } else {
      list.splice(part === "-" ? list.length : index(part, list.length + 1), 0, value);
    }
    return list;
  }
  if (!isObject(at) || part === "__proto__") throw new JsonPatchError(`/${path.join("/")} does not exist.`);
  if (rest.length === 0) return { ...at, [part]: value };
  if (!Object.hasOwn(at, part)) throw new JsonPatchError(`/${path.join("/")} does not exist.`);
  return { ...at, [part]: put(at[part] as Json, rest, value, mode) };
}

function remove(at: Json, path: readonly string[]): Json {
  const [part, ...rest] = path;
  if (part === undefined) throw new JsonPatchError("The whole document cannot be removed.");
  if (Array.isArray(at)) {
    const i = index(part, at.length);
    return rest.length === 0 ? at.toSpliced(i, 1) : at.with(i, remove(at[i] as Json, rest));
  }
  if (!isObject(at) || !Object.hasOwn(at, part))
    throw new JsonPatchError(`/${path.join("/")} does not exist.`);
  if (rest.length > 0) return { ...at, [part]: remove(at[part] as Json, rest) };
  const { [part]: _removed, ...others } = at;
  return others;
}

function index(part: string, length: number): number {
  if (!/^-?(0|[1-9]\d*)$/.test(part)) throw new JsonPatchError(`"${part}" is no index of a list.`);
  const i = Number(part) < 0 ? length + Number(part) : Number(part);
  if (i < 0 || i >= length) throw new JsonPatchError(`Index ${part} is out of range.`);
  return i;
}
