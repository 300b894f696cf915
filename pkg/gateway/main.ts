/**
 * The gateway's process. Its configuration, the credential with it, comes on stdin as one JSON object, so that neither
 * the command line nor the environment ever holds a key. It says on file descriptor 3 that it is ready, or why not.
 */
import { closeSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { keepCompiled } from "../system/compile-cache.ts";
import { compileLate } from "../system/compile-late.ts";
import { giveMemoryBackAtRest } from "../system/memory-at-rest.ts";
import { runGateway } from "./process.ts";

/** The pipe on which who started it hears that it answers, or why not. */
const READY_FD = 3;

compileLate();

try {
  await runGateway(JSON.parse(await text(process.stdin)), () => {
    say({ ready: true });
    keepCompiled();
    giveMemoryBackAtRest();
  });
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
