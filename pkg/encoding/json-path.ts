/** What a path finds in a value: none, one, or several. Throws RangeError where the path does not fit the value. */
export type JsonPath = (value: unknown) => readonly unknown[];

/**
 * Compiles the JSONPath of printer columns, as kubectl's library reads it: `.a.b`, `['a']`, `.a\.b`, `[0]`, `[-1]`,
 * `[1:3]`, `[0:4:2]`, `[*]`, `.*`, `..a`, `[0,2]`, `[?(@.type=="Ready")]`. A missing key finds nothing.
 *
 * @throws SyntaxError for what is no path
 * @see k8s.io/client-go, util/jsonpath, for the rules
 */
export function compileJsonPath(path: string): JsonPath {
  const steps = compile(path);
  return (value) => {
    let found: readonly unknown[] = [value];
    for (const step of steps) found = step(found);
    return found;
  };
}

type Step = (values: readonly unknown[]) => readonly unknown[];

/** What may come next, and the steps that it stands for; the first that fits is taken. */
const grammar: readonly (readonly [pattern: RegExp, steps: (match: RegExpExecArray) => readonly Step[]])[] = [
  [/^[ @$]/, () => []],
  [
    /^\[\?\(((?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|[^"'\n)])*)\)\]/,
    ([, inside = ""]) => [filter(inside)],
  ],
  [/^\.\.((?:[\p{L}\p{N}_](?:\\[\s\S]|[^\\ \t\r\n.,[\]$@{}])*)?)/u, ([, name]) => recursion(name)],
  [/^\[(?!\?)([^\]\n]*)\]/, ([, inside = ""]) => [bracket(inside)]],
  [/^\.((?:\\[\s\S]|[^\\ \t\r\n.,[\]$@{}])*)/, ([, name = ""]) => [name === "*" ? wildcard : field(name)]],
  [/^"((?:\\[\s\S]|[^"\\\n])*)"/, ([, text = ""]) => [constant(unquoted(text))]],
  [/^'((?:\\[\s\S]|[^'\\\n])*)'/, ([, text = ""]) => [constant(unquoted(text))]],
  [/^[+-]?\d[\d.]*/, ([number]) => [constant(Number(number))]],
  [
    /^[\p{L}_][^ \t\r\n.,[\]$@{}]*/u,
    ([word]) => [word === "true" || word === "false" ? constant(word === "true") : unknown],
  ],
];

function compile(path: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = path;
  next: while (rest !== "") {
    for (const [pattern, make] of grammar) {
      const match = pattern.exec(rest);
      if (match === null) continue;
      steps.push(...make(match));
      rest = rest.slice(match[0].length);
      continue next;
    }
    throw new SyntaxError(`The JSONPath ${path} cannot be read from "${rest}" on.`);
  }
  return steps;
}

function unquoted(text: string): string {
  return text.replace(/\\([\s\S])/g, "$1");
}

function recursion(name: string | undefined): readonly Step[] {
  return name ? [descendants, field(name)] : [descendants];
}

/** A word without a dot before it is read, and then fits nothing. */
const unknown: Step = () => {
  throw new RangeError("A field needs a dot before it.");
};

/** A number or text stands for itself, once for each value. */
function constant(value: unknown): Step {
  return (values) => values.map(() => value);
}

function field(escaped: string): Step {
  const name = escaped.replaceAll("\\", "");
  return (values) =>
    values.flatMap((value) => (isMap(value) && Object.hasOwn(value, name) ? [value[name]] : []));
}

const wildcard: Step = (values) => values.flatMap(children);

const descendants: Step = (values) =>
  values.flatMap((value) => {
    const inside = children(value);
    return inside.length === 0 ? [] : [value, ...descendants(inside)];
  });

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isMap(value) ? Object.values(value) : [];
}

/** What stands between brackets: a key, an index, a slice, or several of them. */
function bracket(text: string): Step {
  const parts = text.split(",");
  if (parts.length > 1) {
    const steps = parts.map((part) => bracket(part.trim()));
    return (values) => steps.flatMap((step) => step(values));
  }
  const key = /^'([^']*)'$/.exec(text);
  if (key !== null) return field(key[1] as string);
  const slice = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text === "*" ? ":" : text);
  if (slice === null) throw new SyntaxError(`Invalid array index ${text}.`);
  return slices(slice[1] ?? "", slice[2], slice[3]);
}

function slices(first: string, second: string | undefined, third: string | undefined): Step {
  const number = (part: string | undefined) => (part === undefined || part === "" ? undefined : Number(part));
  const from = number(first);
  const to = number(second?.slice(1));
  const by = number(third?.slice(1)) ?? 1;
  return (values) =>
    values.flatMap((value) => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) throw new RangeError("It is no list.");
      const fromEnd = (index: number) => (index < 0 ? index + value.length : index);
      const begin = fromEnd(from ?? 0);
      // An index alone is the slice of one.
      const end = second === undefined && first !== "" ? begin + 1 : fromEnd(to ?? value.length);
      if (begin === end) return [];
      if (begin < 0 || begin >= value.length || end < 0 || end > value.length || begin > end || by <= 0) {
        throw new RangeError("The index is outside the list.");
      }
      return value.slice(begin, end).filter((_item, index) => index % by === 0);
    });
}

/** What keeps items: `@.a` where it is there, `@.a=="b"` where that holds. */
function filter(inside: string): Step {
  const comparison = /^([^!<>=]+)([!<>=]+)([\s\S]+)$/.exec(inside);
  const left = compileJsonPath(comparison?.[1] ?? inside);
  const operator = comparison?.[2];
  const right = comparison === null ? () => [] : compileJsonPath(comparison[3] as string);
  const keeps = (item: unknown): boolean => {
    if (operator === undefined) return exists(left, item);
    const lefts = left(item);
    if (lefts.length === 0) return false;
    const rights = right(item);
    if (rights.length === 0) return false;
    if (lefts.length > 1 || rights.length > 1) throw new RangeError("Only one value can be compared.");
    return compares(lefts[0], operator, rights[0]);
  };
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new RangeError("It is no list and cannot be filtered.");
      return value.filter(keeps);
    });
}

/** What does not fit is taken to be there. */
function exists(path: JsonPath, item: unknown): boolean {
  try {
    return path(item).length > 0;
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  const comparable =
    (typeof left === "string" && typeof right === "string") ||
    (typeof left === "boolean" && typeof right === "boolean") ||
    (isNumber(left) && isNumber(right) && isInteger(left) === isInteger(right));
  if (!comparable) throw new RangeError("Values of different types cannot be compared.");
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint may equal a number
  const equal = left == right;
  if (operator === "==") return equal;
  if (operator === "!=") return !equal;
  if (typeof left === "boolean") throw new RangeError("Truth has no order.");
  const less = (left as number | string) < (right as number | string);
  switch (operator) {
    case "<":
      return less;
    case "<=":
      return less || equal;
    case ">":
      return !less && !equal;
    case ">=":
      return !less;
    default:
      throw new RangeError(`Unknown operator ${operator}.`);
  }
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isInteger(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
