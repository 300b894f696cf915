import { invalid } from "./field-error.ts";
import { labelValueFaults, qualifiedNameFaults } from "./names.ts";
import { badRequest } from "./status-errors.ts";

/** Whether labels are selected. */
export type LabelSelector = (labels: Readonly<Record<string, string>> | undefined) => boolean;

export const everything: LabelSelector = () => true;

/**
 * Compiles Kubernetes' selector syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a>1`, `a<2`, `a`, `!a`,
 * joined by commas. An absent label fulfils `!=` and `notin`; only whole numbers are greater or less.
 *
 * @throws StatusError BadRequest with kube-apiserver's words
 */
export function parseLabelSelector(selector: string | undefined): LabelSelector {
  if (selector === undefined || selector === "") return everything;
  const cursor: Cursor = { tokens: scan(selector), at: 0 };
  const requirements: LabelSelector[] = [];
  while (!isEnd(peek(cursor))) {
    const next = peek(cursor);
    if (!isIdentifier(next) && next.text !== "!") {
      throw badRequest(`found '${next.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(requirement(cursor));
    const after = take(cursor);
    if (isEnd(after)) break;
    if (after.text !== ",") throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
    const following = peek(cursor);
    if (!isIdentifier(following) && following.text !== "!") {
      throw badRequest(`found '${following.text}', expected: identifier after ','`);
    }
  }
  if (requirements.length === 0) return everything;
  return (labels) => requirements.every((matches) => matches(labels));
}

interface Token {
  /** The end of the text is an empty symbol. */
  readonly is: "identifier" | "symbol";
  readonly text: string;
}

interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
}

const end: Token = { is: "symbol", text: "" };

function scan(selector: string): Token[] {
  return [...selector.matchAll(/[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^ \t\r\n=!(),<>]+))/g)].map(
    ([, symbol, identifier]): Token =>
      symbol === undefined
        ? { is: "identifier", text: identifier as string }
        : { is: "symbol", text: symbol },
  );
}

function peek({ tokens, at }: Cursor): Token {
  return tokens[at] ?? end;
}

function take(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.at++;
  return token;
}

function isEnd(token: Token): boolean {
  return token === end;
}

function isIdentifier(token: Token): boolean {
  return token.is === "identifier";
}

function requirement(cursor: Cursor): LabelSelector {
  const negated = peek(cursor).text === "!" && take(cursor) !== end;
  const token = take(cursor);
  if (!isIdentifier(token)) throw refused(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const faults = qualifiedNameFaults(key);
  if (faults.length > 0) throw refused(faultText("<nil>", key, faults));
  const next = peek(cursor);
  if (isEnd(next) || next.text === ",") {
    return negated ? (labels) => labels?.[key] === undefined : (labels) => labels?.[key] !== undefined;
  }
  return comparison(key, take(cursor).text, cursor);
}

function comparison(key: string, operator: string, cursor: Cursor): LabelSelector {
  switch (operator) {
    case "=":
    case "==": {
      const value = exactValue(cursor, key);
      return (labels) => labels?.[key] === value;
    }
    case "!=": {
      const value = exactValue(cursor, key);
      return (labels) => labels?.[key] !== value;
    }
    case ">": {
      const bound = numericValue(cursor, key);
      return (labels) => isWhole(labels?.[key]) && BigInt(labels?.[key] ?? "") > bound;
    }
    case "<": {
      const bound = numericValue(cursor, key);
      return (labels) => isWhole(labels?.[key]) && BigInt(labels?.[key] ?? "") < bound;
    }
    case "in": {
      const values = valueSet(cursor, key);
      return (labels) => labels?.[key] !== undefined && values.has(labels[key]);
    }
    case "notin": {
      const values = valueSet(cursor, key);
      return (labels) => labels?.[key] === undefined || !values.has(labels[key]);
    }
    default:
      throw refused(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

/** One value; `a=` and `a=,b` mean the empty one. */
function exactValue(cursor: Cursor, key: string): string {
  const token = peek(cursor);
  if (isEnd(token) || token.text === ",") return "";
  cursor.at++;
  if (!isIdentifier(token)) throw refused(`found '${token.text}', expected: identifier`);
  checkValues(key, [token.text], []);
  return token.text;
}

function numericValue(cursor: Cursor, key: string): bigint {
  const token = peek(cursor);
  const value = isEnd(token) || token.text === "," ? "" : take(cursor).text;
  if (value !== "" && !isIdentifier(token)) throw refused(`found '${value}', expected: identifier`);
  const why = "for 'Gt', 'Lt' operators, the value must be an integer";
  checkValues(key, [value], isWhole(value) ? [] : [faultText("values[0]", value, [why])]);
  return BigInt(value);
}

/** `(a,b)`; an empty place between commas or parentheses is the empty value. */
function valueSet(cursor: Cursor, key: string): ReadonlySet<string> {
  const open = take(cursor);
  if (open.text !== "(") throw refused(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  let valueWanted = true;
  for (;;) {
    const token = take(cursor);
    if (isIdentifier(token) && valueWanted) {
      values.add(token.text);
      valueWanted = false;
    } else if (token.text === "," && !isEnd(token)) {
      if (valueWanted) values.add("");
      valueWanted = true;
    } else if (token.text === ")") {
      if (valueWanted) values.add("");
      break;
    } else if (valueWanted) throw refused(`found '${token.text}', expected: ',', or identifier`);
    else throw refused(`found '${token.text}', expected: ',' or ')'`);
  }
  checkValues(key, [...values].sort(), []);
  return values;
}

function checkValues(key: string, values: readonly string[], faults: readonly string[]): void {
  const all = [
    ...faults,
    ...values.flatMap((value, at) => {
      const wrong = labelValueFaults(value);
      return wrong.length === 0 ? [] : [faultText(`values[${at}][${key}]`, value, wrong)];
    }),
  ];
  if (all.length > 0) throw refused(all.length === 1 ? String(all[0]) : `[${all.join(", ")}]`);
}

function isWhole(value: string | undefined): boolean {
  return value !== undefined && /^[+-]?\d+$/.test(value);
}

function faultText(field: string, value: string, faults: readonly string[]): string {
  return `${field}: ${invalid(field, value, faults.join("; ")).message}`;
}

function refused(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}
