/**
 * What a printer column's JSONPath finds in `object`; undefined where there is nothing. Fields, list indexes and
 * filters on equality are understood: `.status.conditions[?(@.type=="Ready")].status`.
 *
 * @throws Error for a path with anything else in it
 */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  let rest = path;
  while (rest !== "") {
    const step = nextStep(rest);
    if (step === undefined) throw new Error(`The JSONPath ${path} can't be understood from "${rest}" on.`);
    value = step.pick(value);
    rest = rest.slice(step.length);
  }
  return value;
}

interface Step {
  length: number;
  pick(value: unknown): unknown;
}

function nextStep(path: string): Step | undefined {
  const field = /^\.([A-Za-z0-9_-]+)/.exec(path);
  if (field?.[1] !== undefined)
    return { length: field[0].length, pick: (value) => member(value, String(field[1])) };
  const index = /^\[(\d+)\]/.exec(path);
  if (index !== null)
    return {
      length: index[0].length,
      pick: (value) => (Array.isArray(value) ? value[Number(index[1])] : undefined),
    };
  const filter = /^\[\?\(@\.([A-Za-z0-9_-]+)\s*==\s*(['"])(.*?)\2\)\]/.exec(path);
  if (filter === null) return undefined;
  const [all, name = "", , wanted] = filter;
  return {
    length: all.length,
    pick: (value) =>
      Array.isArray(value) ? value.find((entry) => member(entry, name) === wanted) : undefined,
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
