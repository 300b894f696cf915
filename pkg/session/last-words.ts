/** What a host that ended by an error says last, for people. */
export function lastWords(error: unknown): string {
  return `${opening}${error instanceof Error ? error.message : String(error)}`;
}

/**
 * The end of a host's log, short enough to be told: its last words, or, of one that was not left the time for any, the
 * last lines.
 */
export function endOfLog(log: string): string {
  const said = log.lastIndexOf(opening);
  return (said === -1 ? log.trimEnd().slice(-charactersMax) : log.slice(said).trim()).slice(0, charactersMax);
}

const opening = "The session host ended: ";
/** A condition's message has 1,024 for it and what stands before it. */
const charactersMax = 700;
