import { sameJson } from "../../api/same-json.ts";
import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";

/** A JSON patch could not be applied: a failed test, a missing path, an unknown operation. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
}

/** The most operations one patch may have, as in kube-apiserver. */
export const maxJsonPatchOperations = 10_000;

/** The most bytes of JSON that the `copy` operations of one patch may copy together, as in kube-apiserver. */
const maxCopiedBytes = 3 * 1024 * 1024;

/**
 * `target` with a JSON patch applied; `target` stays as it is, and what the patch does not touch is shared with it.
 *
 * As kube-apiserver's library has it, and beyond the RFC: `replace` of a missing key adds it, a missing `value` is null,
 * `test` of a missing key against null passes, `copy` of one makes a null, a negative index counts from the end, what
 * comes before a path's first slash does not count, and of the whole document there is only `test` and `replace`.
 *
 * @throws JsonPatchError when an operation does not apply
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function jsonPatch(target: Json, operations: readonly Json[]): Json {
  const patching = new Patching(target);
  for (const operation of operations) patching.apply(operation);
  return patching.document;
}

type Path = readonly string[];

class Patching {
  document: Json;
  /** Lists and objects made here and found at one place only: they are changed, all others are copied first. */
  #own = new WeakSet<object>();
  #copiedBytes = 0;

  constructor(document: Json) {
    this.document = document;
  }

  apply(operation: Json): void {
    if (!isObject(operation)) throw new JsonPatchError("An operation must be an object.");
    const path = pointer(operation.path, "path");
    const value = operation.value ?? null;
    switch (operation.op) {
      case "add":
        this.#put(path, value, "insert");
        break;
      case "replace":
        if (path.length === 0) this.#replaceAll(value);
        else this.#put(path, value, "replace");
        break;
      case "remove":
        this.#remove(path);
        break;
      case "test":
        this.#test(path, value);
        break;
      case "copy":
        this.#put(path, this.#copy(pointer(operation.from, "from")), "insert");
        break;
      case "move": {
        const from = pointer(operation.from, "from");
        const moved = this.#read(from);
        this.#remove(from);
        this.#put(path, moved, "insert");
        break;
      }
      default:
        throw new JsonPatchError(`Unknown operation ${writeJson(operation.op)}.`);
    }
  }

  #replaceAll(value: Json): void {
    if (typeof value !== "object" || value === null)
      throw new JsonPatchError("A document is no plain value.");
    this.document = value;
  }

  #test(path: Path, expected: Json): void {
    if (!sameJson(this.#find(path) ?? null, expected))
      throw new JsonPatchError(`The test of ${name(path)} failed.`);
  }

  #copy(from: Path): Json {
    const parent = this.#find(from.slice(0, -1));
    const value = isObject(parent) && from.length > 0 ? (this.#find(from) ?? null) : this.#read(from);
    this.#copiedBytes += Buffer.byteLength(writeJson(value));
    // Or copies of copies would double with each operation.
    if (this.#copiedBytes > maxCopiedBytes)
      throw new JsonPatchError(`More than ${maxCopiedBytes} bytes are copied.`);
    // What is in the document twice must not be changed in one place.
    this.#own = new WeakSet();
    return value;
  }

  #read(path: Path): Json {
    const found = this.#find(path);
    if (found === undefined || path.length === 0) throw new JsonPatchError(`${name(path)} does not exist.`);
    return found;
  }

  #find(path: Path): Json | undefined {
    let at: Json | undefined = this.document;
    for (const part of path) {
      if (Array.isArray(at)) at = at[index(part, at.length)];
      else if (isObject(at) && Object.hasOwn(at, part)) at = at[part];
      else return undefined;
    }
    return at;
  }

  #put(path: Path, value: Json, mode: "insert" | "replace"): void {
    const { parent, last } = this.#open(path);
    if (!Array.isArray(parent)) parent[last] = value;
    else if (mode === "replace") parent[index(last, parent.length)] = value;
    else parent.splice(last === "-" ? parent.length : index(last, parent.length + 1), 0, value);
  }

  #remove(path: Path): void {
    const { parent, last } = this.#open(path);
    if (Array.isArray(parent)) parent.splice(index(last, parent.length), 1);
    else if (Object.hasOwn(parent, last)) delete parent[last];
    else throw new JsonPatchError(`${name(path)} does not exist.`);
  }

  /** What holds the place at `path`, ready to be changed, as everything above it. */
  #open(path: Path): { parent: Json[] | Record<string, Json>; last: string } {
    const last = path.at(-1);
    // An own `__proto__` comes only from hostile patches, and assigning it would change the prototype.
    if (last === undefined || path.includes("__proto__"))
      throw new JsonPatchError(`${name(path)} cannot be changed.`);
    let parent = this.#mutable(this.document, path);
    this.document = parent;
    for (const part of path.slice(0, -1)) {
      if (Array.isArray(parent)) {
        const i = index(part, parent.length);
        const next = this.#mutable(parent[i] as Json, path);
        parent[i] = next;
        parent = next;
      } else {
        const next = this.#mutable(Object.hasOwn(parent, part) ? parent[part] : undefined, path);
        parent[part] = next;
        parent = next;
      }
    }
    return { parent, last };
  }

  #mutable(value: Json | undefined, path: Path): Json[] | Record<string, Json> {
    if (typeof value !== "object" || value === null)
      throw new JsonPatchError(`${name(path)} does not exist.`);
    if (this.#own.has(value)) return value as Json[] | Record<string, Json>;
    const copy = Array.isArray(value) ? [...value] : { ...(value as JsonObject) };
    this.#own.add(copy);
    return copy;
  }
}

function pointer(value: Json | undefined, field: string): Path {
  if (typeof value !== "string") throw new JsonPatchError(`\`${field}\` must be a string.`);
  if (value !== "" && !value.includes("/")) throw new JsonPatchError(`\`${field}\` must have a "/".`);
  return value
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function index(part: string, length: number): number {
  if (!/^[-+]?\d+$/.test(part)) throw new JsonPatchError(`"${part}" is no index of a list.`);
  const i = Number(part) < 0 ? length + Number(part) : Number(part);
  if (i < 0 || i >= length) throw new JsonPatchError(`Index ${part} is out of range.`);
  return i;
}

function name(path: Path): string {
  return path.length === 0 ? "The whole document" : `/${path.join("/")}`;
}
