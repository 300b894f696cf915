import type { KubeObject } from "../api/meta.ts";
import type { Resource } from "./resource.ts";
import { badRequest } from "./status-errors.ts";

/** Whether an object is selected. */
export type ObjectSelector = (object: KubeObject) => boolean;

/** What a field is in an object, as text; the empty text where there is none. */
export type FieldReader = (object: KubeObject) => string;

/**
 * Compiles `metadata.name=a,spec.color!=red` over the fields that `resource` can be selected by. A backslash before `,`,
 * `=` or `\` in a value takes it as it is.
 *
 * @returns undefined when everything is selected
 * @throws StatusError BadRequest with kube-apiserver's words
 */
export function parseFieldSelector(
  resource: Resource,
  selector: string | undefined,
): ObjectSelector | undefined {
  if (selector === undefined || selector === "") return undefined;
  // All are read before any field is looked for.
  const requirements = terms(selector)
    .sort()
    .map((term) => readTerm(selector, term))
    .map((term) => requirement(resource, term));
  if (requirements.length === 0) return undefined;
  return (object) => requirements.every((matches) => matches(object));
}

/** The parts between commas that no backslash escapes; empty ones say nothing. */
function terms(selector: string): string[] {
  return selector.match(/(?:\\[\s\S]|[^,\\]|\\$)+/g) ?? [];
}

interface Term {
  readonly label: string;
  readonly equal: boolean;
  readonly value: string;
}

function readTerm(selector: string, term: string): Term {
  const parts = /^(.*?)(!=|==|=)([\s\S]*)$/.exec(term);
  if (parts === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
  const [, label = "", operator, escaped = ""] = parts;
  return { label, equal: operator !== "!=", value: unescaped(escaped) };
}

function requirement(resource: Resource, { label, equal, value }: Term): ObjectSelector {
  const read = reader(resource, label);
  return (object) => (read(object) === value) === equal;
}

function unescaped(value: string): string {
  return value.replace(/\\([\s\S]?)|[,=]/g, (found, escaped: string | undefined) => {
    if (escaped === undefined)
      throw badRequest(`invalid field selector: unescaped character in value: ${found.charCodeAt(0)}`);
    if (escaped === "" || !",=\\".includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    }
    return escaped;
  });
}

function reader(resource: Resource, label: string): FieldReader {
  if (label === "metadata.name") return (object) => object.metadata.name;
  const own = resource.selectableFields?.get(label);
  if (own !== undefined) return own;
  // Kinds of Kubernetes' own without fields take the namespace even where they have none.
  if (label === "metadata.namespace" && (resource.namespaced || resource.selectableFields === undefined)) {
    return (object) => object.metadata.namespace ?? "";
  }
  if (resource.selectableFields !== undefined) throw badRequest(`field label not supported: ${label}`);
  throw badRequest(`"${label}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
}
