import { quote } from "./field-error.ts";
import { labelValueFaults, qualifiedNameFaults } from "./names.ts";
import { badRequest } from "./status-errors.ts";

/** Whether labels are selected. */
export type LabelSelector = (labels: Readonly<Record<string, string>> | undefined) => boolean;

export const everything: LabelSelector = () => true;

/**
 * Compiles Kubernetes' selector syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by
 * commas. An absent label fulfils `!=` and `notin`.
 *
 * @throws StatusError BadRequest with kube-apiserver's words
 */
export function parseLabelSelector(selector: string | undefined): LabelSelector {
  if (selector === undefined || selector.trim() === "") return everything;
  const tokens = [...selector.matchAll(/\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/g)].map(
    (match) => match[1] as string,
  );
  const requirements: LabelSelector[] = [];
  const cursor = { tokens, at: 0 };
  for (;;) {
    requirements.push(requirement(cursor));
    const next = take(cursor);
    if (next === undefined) break;
    if (next !== ",") throw refused(`found '${next}', expected: ',' or 'end of string'`);
  }
  return (labels) => requirements.every((matches) => matches(labels));
}

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

function take(cursor: Cursor): string | undefined {
  return cursor.tokens[cursor.at++];
}

function requirement(cursor: Cursor): LabelSelector {
  const first = take(cursor) ?? "";
  if (first === "!") {
    const key = readKey(take(cursor) ?? "");
    return (labels) => labels?.[key] === undefined;
  }
  const key = readKey(first);
  const operator = cursor.tokens[cursor.at];
  if (operator === undefined || operator === ",") return (labels) => labels?.[key] !== undefined;
  cursor.at++;
  switch (operator) {
    case "=":
    case "==": {
      const value = readValue(cursor, key);
      return (labels) => labels?.[key] === value;
    }
    case "!=": {
      const value = readValue(cursor, key);
      return (labels) => labels?.[key] !== value;
    }
    case "in": {
      const values = readValues(cursor, key);
      return (labels) => labels?.[key] !== undefined && values.has(labels[key]);
    }
    case "notin": {
      const values = readValues(cursor, key);
      return (labels) => labels?.[key] === undefined || !values.has(labels[key]);
    }
    default:
      throw refused(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function readKey(token: string): string {
  if (/^[=!(),<>]*$/.test(token))
    throw refused(`found '${token}', expected: !, identifier, or 'end of string'`);
  const [fault] = qualifiedNameFaults(token);
  if (fault !== undefined) throw refused(`key: Invalid value: ${quote(token)}: ${fault}`);
  return token;
}

/** One value; `a=` and `a=,b` mean the empty one. */
function readValue(cursor: Cursor, key: string): string {
  const token = cursor.tokens[cursor.at];
  if (token === undefined || token === ",") return "";
  cursor.at++;
  return checkedValue(token, key, 0);
}

function readValues(cursor: Cursor, key: string): ReadonlySet<string> {
  const open = take(cursor);
  if (open !== "(") throw refused(`found '${open ?? ""}' expected: '('`);
  const values = new Set<string>();
  for (;;) {
    const token = take(cursor);
    if (token === ")") break;
    if (token === undefined) throw refused("found '', expected: ',', or ')'");
    if (token !== ",") values.add(checkedValue(token, key, values.size));
  }
  return values;
}

function checkedValue(token: string, key: string, at: number): string {
  const [fault] = labelValueFaults(token);
  if (fault !== undefined) throw refused(`values[${at}][${key}]: Invalid value: ${quote(token)}: ${fault}`);
  return token;
}

function refused(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}
