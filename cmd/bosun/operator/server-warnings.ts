/** What a cluster's API server warns of, for people: each thing once. */

/** So many are told, in case that a warning has something new in it each time. */
const toldMax = 50;

/** A listener for warnings of the server at `server`. */
export function serverWarnings(server: string, note: (line: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text) || told.size >= toldMax) return;
    told.add(text);
    note(
      /^unknown field/.test(text)
        ? `${server} drops what it does not know: ${text}. Its kinds are of another version of Bosun. Run \`bosun install\` with this one.`
        : `${server} warns: ${text}`,
    );
  };
}
