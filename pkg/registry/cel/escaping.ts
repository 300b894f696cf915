const reserved = new Set(
  `true false null in as break const continue else for function if import let loop package namespace return
   var void while`.split(/\s+/),
);

const marks: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};
const meanings = new Map(Object.entries(marks).map(([text, mark]) => [mark, text]));

/**
 * The name by which CEL knows a field: `foo-bar` is `foo__dash__bar`, `namespace` is `__namespace__`; undefined for a
 * field that it cannot name.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#escaping
 */
export function escapeField(field: string): string | undefined {
  if (reserved.has(field)) return `__${field}__`;
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(field)) return undefined;
  return field.replace(/__|[.\-/]/g, (text) => marks[text] ?? text);
}

/** The field that CEL knows by `name`; undefined for what is no escaped name. */
export function unescapeField(name: string): string | undefined {
  if (!name.includes("__")) return name;
  let valid = true;
  const field = name.replace(/__[^_]+__/g, (mark) => {
    const meaning = meanings.get(mark);
    if (meaning !== undefined) return meaning;
    const word = mark.slice(2, -2);
    if (!reserved.has(word) || mark !== name) valid = false;
    return word;
  });
  return valid ? field : undefined;
}
