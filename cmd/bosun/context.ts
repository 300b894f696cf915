/** All that a command is handed: where it runs, what it prints to, what time it is. Tests hand in their own. */
export interface Context {
  /** Absolute. */
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Prints a line for the reader of the result. */
  out(line: string): void;
  /** Prints a line about the result: warnings, what is not as expected. */
  note(line: string): void;
  /** Whether a person sees stdout as it comes. */
  isTerminal: boolean;
  /** Columns of the terminal; 100 without one. */
  width: number;
  /** Wall time in milliseconds. */
  now(): number;
  /** Asks the person; undefined where nobody can answer. */
  ask(question: string): Promise<string | undefined>;
  /** Has `heed` called, where this process would end, once nobody reads what it prints: a closed terminal, a `head`. */
  onUnread(heed: () => void): void;
  /** Aborted by Ctrl-C, or when this process is asked to end. */
  signal: AbortSignal;
}
