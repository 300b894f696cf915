import type { Context } from "./context.ts";
import { fullDiskIn } from "./disk-failure.ts";

/** What a write says where its reader is gone (`bosun logs agent-1 | head`) or the terminal was closed, at first and later. */
const unread: ReadonlySet<string | undefined> = new Set(["EPIPE", "EIO", "ERR_STREAM_DESTROYED"]);

/** The context of this process: its folder, its terminal, its clock. Call it before anything is printed, and once. */
export function realContext(): Context {
  const interrupted = new AbortController();
  // Whoever reads may have seen enough.
  let heedUnread = (): void => process.exit(0);
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A line that a full disk does not take is lost; what it tells of goes on.
      if (fullDiskIn(error) !== undefined) return;
      if (!unread.has(error.code)) throw error;
      // What is told beside the result was not asked for.
      if (stream === process.stdout) heedUnread();
    });
  return {
    cwd: process.cwd(),
    env: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stdout.isTTY === true,
    width: process.stdout.columns || 100,
    now: () => Date.now(),
    ask,
    onUnread(heed) {
      heedUnread = heed;
    },
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
