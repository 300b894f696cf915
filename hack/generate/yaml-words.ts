/** Whether YAML 1.1, as kubectl reads it, takes a plain `word` for a boolean: it has to be written in quotes. */
export function needsQuotes(word: string): boolean {
  return /^(y|n|yes|no|on|off|true|false)$/i.test(word);
}
