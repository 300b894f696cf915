import { once } from "node:events";
import type { Readable } from "node:stream";
import type { Clock } from "../runtime/clock.ts";
import { isEngaged } from "../system/latch-files.ts";

/** What a host that waits is told of its session, as JSON on one line of its standard input. */
export interface Handover {
  attempt: string;
}

export interface AwaitOptions {
  /** Its end without a line: the operator is gone, or needs this host no more. */
  stdin: Readable;
  stopLatch: string;
  clock: Clock;
  /** Ends this process, at once. */
  exit(): never;
}

/** How often it looks at the stop latch, in milliseconds. */
const latchPollMs = 100;

/**
 * Waits until this host is told to begin, and does meanwhile what every session's start needs.
 *
 * @returns what it was told
 */
export async function awaitSession({ stdin, stopLatch, clock, exit }: AwaitOptions): Promise<Handover> {
  const told = new AbortController();
  const heedLatch = async (): Promise<void> => {
    while (!told.signal.aborted) {
      if (isEngaged(stopLatch)) exit();
      await clock.sleep(latchPollMs, told.signal);
    }
  };
  heedLatch().catch(() => undefined); // Told: from here on the session's own look goes on.
  const line = await firstLine(stdin);
  if (line === undefined) return exit();
  told.abort();
  stdin.destroy();
  return JSON.parse(line) as Handover;
}

async function firstLine(stdin: Readable): Promise<string | undefined> {
  let text = "";
  stdin.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("\n")) stdin.emit("line");
  });
  await Promise.race([once(stdin, "line"), once(stdin, "end")]);
  return text.includes("\n") ? text.slice(0, text.indexOf("\n")) : undefined;
}
