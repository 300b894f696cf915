import { badRequest } from "./status-errors.ts";

/** Where a list goes on. */
export interface Continuation {
  /** The revision that every page shows; -1: whatever is newest. */
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
  let decoded: { v?: unknown; rv?: unknown; start?: unknown } | null;
  try {
    decoded = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch (error) {
    throw refused((error as Error).message);
  }
  const { v = "", rv = 0, start = "" } = decoded ?? {};
  if (v !== version) throw refused(`server does not recognize this encoded version ${v}`);
  if (typeof rv !== "number" || !Number.isInteger(rv) || rv === 0) {
    throw refused(`incorrect encoded start resourceVersion (version ${version})`);
  }
  if (typeof start !== "string" || start === "")
    throw refused(`encoded start key empty (version ${version})`);
  return { revision: rv, start };
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
