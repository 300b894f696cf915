/**
 * Whether a path of a tree matches a pattern: `*` and `?` within a name, `**` across folders. A pattern without a
 * slash matches the name at any depth, as in `.gitignore`. Letter case does not count: a Mac's disk ignores it.
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const anchored = pattern.includes("/") ? pattern.replace(/^\//, "") : `**/${pattern}`;
  const source = anchored.replaceAll(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`, "i").test(path);
}
