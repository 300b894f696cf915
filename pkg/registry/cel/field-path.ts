import type { ValueSchema } from "./value-schema.ts";
import { mapValues } from "./value-schema.ts";

/**
 * The field that a rule's `fieldPath` means (`.spec.size`, `['odd.name']`), written as messages write fields; undefined
 * when the path is none or leads to a field that the schema does not have.
 */
export function normalizedFieldPath(path: string, schema: ValueSchema): string | undefined {
  let written = "";
  let node: ValueSchema | undefined = schema;
  let rest = path;
  while (rest !== "") {
    const step = /^(?:\.([^.[\]']+)|\['((?:[^'\\]|\\.)*)'\])/.exec(rest);
    if (step === null || node === undefined) return undefined;
    rest = rest.slice(step[0].length);
    const name: string | undefined = step[1] ?? unquoted(step[2] ?? "");
    if (name === undefined) return undefined;
    const values = mapValues(node);
    if (node.properties.size > 0) {
      written += written === "" ? name : `.${name}`;
      node = node.properties.get(name);
    } else {
      written += `[${name}]`;
      node = values;
    }
    if (node === undefined) return undefined;
  }
  return written === "" ? undefined : written;
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function unquoted(text: string): string | undefined {
  const marks = [...text.matchAll(/\\(.)/g)];
  if (marks.some(([, mark = ""]) => escapes[mark] === undefined)) return undefined;
  return text.replace(/\\(.)/g, (_, mark: string) => escapes[mark] ?? "");
}
