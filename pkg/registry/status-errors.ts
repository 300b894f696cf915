/** kube-apiserver's errors, in its shape and wording: clients and kubectl depend on both. */
import { StatusError } from "../api/status-error.ts";
import { type FieldError, invalid } from "./field-error.ts";

/** What an error says about the kind of thing it is about. */
export interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  /** The group that errors name, where that is not `group`: of a kind that is stored under another. */
  readonly errorGroup?: string | undefined;
}

/** `projects.bosun.dev`; for the core group just `events`. */
export function qualified(name: string, group: string): string {
  return group === "" ? name : `${name}.${group}`;
}

function qualifiedPlural(of: Named): string {
  return qualified(of.plural, groupOf(of));
}

function groupOf(of: Named): string {
  return of.errorGroup ?? of.group;
}

export function notFound(of: Named, name: string): StatusError {
  return new StatusError(404, "NotFound", `${qualifiedPlural(of)} "${name}" not found`, plural(of, name));
}

export function alreadyExists(of: Named, name: string, prefix = ""): StatusError {
  const message = `${prefix}${qualifiedPlural(of)} "${name}" already exists`;
  return new StatusError(409, "AlreadyExists", message, plural(of, name));
}

/** The name that was generated exists: trying again may help. */
export function generatedNameExists(of: Named, name: string, prefix = ""): StatusError {
  const why = "the server was not able to generate a unique name for the object";
  const message = `${prefix}${qualifiedPlural(of)} "${name}" already exists, ${why}`;
  return new StatusError(409, "AlreadyExists", message, { ...plural(of, name), retryAfterSeconds: 1 });
}

export function conflict(of: Named, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedPlural(of)} "${name}": ${why}`;
  return new StatusError(409, "Conflict", message, plural(of, name));
}

export function modified(of: Named, name: string): StatusError {
  return conflict(
    of,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );
}

export function forbiddenRequest(of: Named, name: string, why: string): StatusError {
  const message = `${qualifiedPlural(of)} "${name}" is forbidden: ${why}`;
  return new StatusError(403, "Forbidden", message, plural(of, name));
}

/** `errors` may be in any order: they are sorted, so that the same fault always reads the same. */
export function invalidObject(
  of: Named,
  name: string,
  errors: readonly FieldError[],
  kind = of.kind,
): StatusError {
  const sorted = errors
    .map((error) => ({ error, text: `${error.field}: ${error.message}` }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const texts = [...new Set(sorted.map(({ text }) => text))];
  const why = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const group = groupOf(of);
  return new StatusError(422, "Invalid", `${qualified(kind, group)} "${name}" is invalid: ${why}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    causes: sorted.map(({ error: { reason, message, field } }) => ({ reason, message, field })),
  });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, "BadRequest", message);
}

/** A body, or what it asks for, is beyond a limit. */
export function tooLargeEntity(why: string): StatusError {
  return new StatusError(413, "RequestEntityTooLarge", `Request entity too large: ${why}`);
}

/** The result of a patch cannot be read as an object. `text` is that result as JSON. */
export function invalidPatchResult(text: string, why: string): StatusError {
  return invalidObject({ group: "", plural: "", kind: "" }, "", [invalid("patch", text, why)]);
}

/** What kube-apiserver says when a JSON patch does not apply. */
export function patchDidNotApply(): StatusError {
  return new StatusError(
    422,
    "Invalid",
    "the server rejected our request due to an error in our request",
    {},
  );
}

export function expired(requested: string, oldest: number): StatusError {
  return new StatusError(410, "Expired", `too old resource version: ${requested} (${oldest})`);
}

/** A revision that was asked for but never given. */
export function tooLargeRevision(requested: string, current: number): StatusError {
  const message = `Timeout: Too large resource version: ${requested}, current: ${current}`;
  return new StatusError(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

export function internalError(message: string): StatusError {
  return new StatusError(500, "InternalError", `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}

function plural(of: Named, name: string): { name: string; group?: string; kind: string } {
  const group = groupOf(of);
  return { name, ...(group === "" ? {} : { group }), kind: of.plural };
}
