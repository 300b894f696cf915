import { parseJson } from "../encoding/json.ts";
import { isObject } from "./json.ts";
import { badRequest } from "./status-errors.ts";

/** Where a list goes on. */
export interface Continuation {
  /** The revision that every page shows; below 0: whatever is newest. */
  readonly revision: number;
  /** The first key, in the order of keys, that may come next. */
  readonly start: string;
}

const version = "meta.k8s.io/v1";

/** A token that is opaque to clients. */
export function encodeContinue({ revision, start }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start })).toString("base64url");
}

/** @throws StatusError BadRequest with kube-apiserver's words */
export function decodeContinue(token: string): Continuation {
  const wrong = firstBadByte(token);
  if (wrong !== undefined) throw refused(`illegal base64 data at input byte ${wrong}`);
  const { v = "", rv = 0, start = "" } = fieldsOf(Buffer.from(token, "base64url").toString("utf8"));
  if (v !== version) throw refused(`server does not recognize this encoded version ${v}`);
  if (rv === 0) {
    throw refused(`incorrect encoded start resourceVersion (version ${version})`);
  }
  if (typeof start !== "string" || start === "")
    throw refused(`encoded start key empty (version ${version})`);
  return { revision: rv, start };
}

interface Fields {
  readonly v?: string;
  readonly rv?: number;
  readonly start?: string;
}

function fieldsOf(text: string): Fields {
  let value: unknown;
  try {
    value = parseJson(text).value;
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (value === null) return {};
  if (!isObject(value))
    throw refused(`json: cannot unmarshal ${goType(value)} into Go value of type storage.continueToken`);
  for (const [field, type] of [
    ["v", "string"],
    ["rv", "int64"],
    ["start", "string"],
  ] as const) {
    const part = value[field];
    if (part === undefined || part === null) continue;
    if (type === "string" ? typeof part === "string" : Number.isInteger(part)) continue;
    const where = `Go struct field continueToken.${field}`;
    throw refused(`json: cannot unmarshal ${goType(part)} into ${where} of type ${type}`);
  }
  return value as Fields;
}

/** What Go's decoder calls a value. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "number" && !Number.isInteger(value) ? `number ${value}` : typeof value;
}

/** Where Go's decoder of unpadded URL base64 stops; undefined when it takes the whole text. */
function firstBadByte(token: string): number | undefined {
  const illegal = /[^A-Za-z0-9_-]/.exec(token);
  if (illegal !== null) return illegal.index;
  return token.length % 4 === 1 ? token.length - 1 : undefined;
}

function refused(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
