/**
 * Whether a path of a tree matches a gitignore pattern: `*`, `?` and `[...]` within a name, `**` across folders. A
 * pattern without a slash matches a name at any depth, and whatever matches a folder covers all that is in it.
 * Letter case does not count: a Mac's disk ignores it. `!` is not known here; see `coveringPattern`.
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const folderOnly = pattern.endsWith("/");
  const bare = pattern.replace(/\/$/, "");
  const anchored = bare.includes("/") ? bare.replace(/^\//, "") : `**/${bare}`;
  return new RegExp(`^${expression(anchored)}${folderOnly ? "/.*" : "(?:/.*)?"}$`, "i").test(path);
}

/** The pattern that covers a path; as in a `.gitignore` a later `!pattern` takes it out again. */
export function coveringPattern(path: string, patterns: readonly string[]): string | undefined {
  let covering: string | undefined;
  for (const pattern of patterns) {
    if (!pattern.startsWith("!")) {
      if (covering === undefined && matchesPattern(path, pattern)) covering = pattern;
    } else if (matchesPattern(path, pattern.slice(1))) {
      covering = undefined;
    }
  }
  return covering;
}

function expression(pattern: string): string {
  return pattern.replaceAll(/\\.|\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[.+^${}()|[\]]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("\\")) return `\\${token.slice(1)}`.replace(/^\\(?=\w)/, "");
    if (token.length > 1) return token.replace(/^\[!/, "[^");
    return `\\${token}`;
  });
}
