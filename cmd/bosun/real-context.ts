import type { Context } from "./context.ts";

/** The context of this process: its folder, its terminal, its clock. */
export function realContext(): Context {
  const interrupted = new AbortController();
  return {
    cwd: process.cwd(),
    env: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stdout.isTTY === true,
    width: process.stdout.columns || 100,
    now: () => Date.now(),
    ask,
    get signal() {
      // Listening only once somebody waits for it: until then Ctrl-C ends the process as anywhere.
      if (process.listenerCount("SIGINT") === 0) {
        process.once("SIGINT", () => interrupted.abort());
        process.once("SIGTERM", () => interrupted.abort());
      }
      return interrupted.signal;
    },
  };
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const readline = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await readline.question(question);
  } finally {
    readline.close();
  }
}
