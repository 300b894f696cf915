/**
 * The gateway's process. Its configuration, the credential with it, comes on stdin as one JSON object, so that neither
 * the command line nor the environment ever holds a key. It says on file descriptor 3 that it is ready, or why not.
 * Where stdin ends without one, it is not needed, or who started it is gone: it ends.
 *
 *     node pkg/gateway/main.ts [STOP_LATCH]     the latch that it heeds while it waits to be told
 */
import { closeSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { keepCompiled } from "../system/compile-cache.ts";
import { compileLate } from "../system/compile-late.ts";
import { giveMemoryBackAtRest } from "../system/memory-at-rest.ts";
import { systemClock } from "../system/system.ts";
import { heedLatch } from "./heed-latch.ts";
import { runGateway } from "./process.ts";

/** The pipe on which who started it hears that it answers, or why not. */
const READY_FD = 3;

compileLate();

const waiting = new AbortController();
const [stopLatch] = process.argv.slice(2);
if (stopLatch !== undefined) void heedLatch(stopLatch, systemClock, waiting.signal);

try {
  const told = await text(process.stdin);
  if (told === "") process.exit(0);
  const running = runGateway(JSON.parse(told), () => {
    say({ ready: true });
    keepCompiled();
    giveMemoryBackAtRest();
  });
  waiting.abort(); // It heeds the latch itself.
  await running;
} catch (error) {
  console.error(error);
  const { name, message, code } = error as NodeJS.ErrnoException;
  say({ ready: false, name, message, code });
  process.exit(1);
}

function say(message: object): void {
  writeSync(READY_FD, JSON.stringify(message));
  closeSync(READY_FD);
}
