/** Put before whatever a person may read, so that nobody takes a rehearsal for real work. */
const MARK = "[rehearsal]";

export function mark(text: string): string {
  return text === "" || text.startsWith(MARK) ? text : `${MARK} ${text}`;
}

/** Fields of tool inputs that end up before a person's eyes. */
const READ_BY_PEOPLE = new Set(["summary", "feedback", "evidence", "findings"]);

/** A tool's input with the mark in the fields that people read. */
export function markInput(input: unknown, seenByPeople = false): unknown {
  if (typeof input === "string") return seenByPeople ? mark(input) : input;
  if (Array.isArray(input)) return input.map((entry) => markInput(entry, seenByPeople));
  if (typeof input !== "object" || input === null) return input;
  const fields = Object.entries(input).map(([key, value]) => [
    key,
    markInput(value, READ_BY_PEOPLE.has(key)),
  ]);
  return Object.fromEntries(fields);
}
