/** What is wrong with an answer, whatever was asked. */
import type { Answer } from "./sender.ts";

/**
 * What kube-apiserver too answers with 500, seen while the conformance scenarios were recorded: no bug of its own, but
 * a mistake of the client that it sorts wrongly. In JSON or YAML.
 */
const knownErrors: readonly RegExp[] = [
  /resourceVersion should not be set on objects to be created/,
  /strconv\.ParseUint: parsing .*: (?:invalid syntax|value out of range)/,
  /content is not a list/,
  // Server-side apply.
  /failed to create typed patch object/,
  /failed to convert new object .* to proper version/,
  // Strategic merge patches.
  /The order in patch list:/,
  /expected a .*, but received a /,
  /unknown patch type: /,
  /lists of lists are not supported/,
  /list element types are not identical/,
  /merging lists cannot yet be specified in the patch/,
  /does not contain declared merge key: /,
  /unable to find api field in struct for the json field /,
];

/** Undefined for an answer that an API server may give. */
export function objection(method: string, { status, contentType, text }: Answer): string | undefined {
  const isJson = contentType.startsWith("application/json");
  const value = isJson && text !== "" ? parsed(text) : undefined;
  if (status === 504 && text.includes("Too large resource version")) return undefined;
  if (status >= 500) {
    if (status === 500 && knownErrors.some((known) => known.test(text))) return undefined;
    // Without a body nobody can tell; a bug is in the log all the same.
    return method === "HEAD" ? undefined : `${status}: ${isStatus(value) ? value.message : text}`;
  }
  if (value === notJson) return `${status} with a body that is no JSON`;
  if (status >= 400 && isStatus(value) && value.code !== status)
    return `${status} with a Status of ${value.code}`;
  if (status >= 400 && isJson && text !== "" && !isStatus(value)) return `${status} without a Status`;
  return undefined;
}

const notJson = Symbol("no JSON");

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Events of a watch are one JSON a line, the last of them perhaps cut.
    return text.startsWith('{"type":') ? undefined : notJson;
  }
}

function isStatus(value: unknown): value is { kind: "Status"; code: number; message: string } {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status";
}
