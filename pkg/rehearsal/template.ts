/** What a scenario captured: a text, or a list of matches with their named groups. */
export type Captured = string | readonly Item[];
export type Item = Readonly<Record<string, string>>;
export type Captures = Readonly<Record<string, Captured>>;

const PLACEHOLDER = /\{\{\s*([\w-]+)(?:\.([\w-]+))?\s*(?:\|\s*(\w+)\s*)?\}\}/g;

const filters: Readonly<Record<string, (text: string) => string>> = {
  /** Lower-case letters, digits and single dashes: safe as a file or branch name. */
  slug: (text) =>
    text
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 60) || "project",
  /** One word of a POSIX shell, whatever the text holds. */
  shell: (text) => `'${text.replaceAll("'", "'\\''")}'`,
  json: (text) => JSON.stringify(text),
};

/**
 * Fills `{{name}}`, `{{name.group}}` and `{{name|filter}}` in all texts of `value`. An object `{$each: LIST, $item: X}`
 * becomes an array with X filled for each item of the list, named `item` in it.
 */
export function render(value: unknown, captures: Captures): unknown {
  if (typeof value === "string") return renderText(value, captures);
  if (Array.isArray(value)) return value.map((entry) => render(entry, captures));
  if (typeof value !== "object" || value === null) return value;
  if ("$each" in value && "$item" in value) {
    return listOf(captures, String(value.$each)).map((item) =>
      render(value.$item, { ...captures, item: [item] }),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, render(entry, captures)]));
}

export function renderText(text: string, captures: Captures): string {
  return text.replace(PLACEHOLDER, (_, name: string, group?: string, filter?: string) => {
    const plain = plainText(captures[name], group);
    return filter === undefined ? plain : (filters[filter]?.(plain) ?? plain);
  });
}

/** The items of a captured list; empty when nothing was captured. */
export function listOf(captures: Captures, name: string): readonly Item[] {
  const captured = captures[name];
  return captured === undefined || typeof captured === "string" ? [] : captured;
}

/** Placeholders in `text` that name no capture of `known` or no filter. */
export function unknownPlaceholders(text: string, known: ReadonlySet<string>): readonly string[] {
  return [...text.matchAll(PLACEHOLDER)]
    .filter(([, name = "", , filter]) => !known.has(name) || (filter !== undefined && !(filter in filters)))
    .map(([placeholder]) => placeholder);
}

function plainText(captured: Captured | undefined, group: string | undefined): string {
  if (captured === undefined) return "";
  if (typeof captured === "string") return captured;
  return captured.map((item) => item[group ?? "text"] ?? "").join("\n");
}
