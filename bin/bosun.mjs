#!/usr/bin/env node
/**
 * The command `bosun`. Runs the compiled command where there is one (an installed package) and the sources in a
 * checkout. Plain JavaScript that any Node can read, so that an old one gets a clear message or is replaced by the
 * newer one in node_modules.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import nodeModule from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const sources = path.join(root, "cmd", "bosun", "main.ts");
const compiled = path.join(root, "dist", "cmd", "bosun", "main.js");

/**
 * Of V8, for a process that rests most of the time. Of the young heap's 32 MB that it takes by itself nothing is ever given
 * back; the rest is where pkg/system/memory-at-rest.ts says.
 */
const small = ["--max-semi-space-size=2", "--expose-gc"];

if (isNewEnough(process.versions.node)) {
  if (process.argv[2] === "up") becomeSmall();
  // Compiled code is kept on disk, where pkg/system/compile-cache.ts says: a second start takes half the time.
  const caches = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE || path.join(caches, "bosun", "compiled"));
  await import(pathToFileURL(existsSync(sources) ? sources : compiled).href);
} else {
  startWithNewerNode();
}

/** Node runs TypeScript by itself from 22.18 on; the packages that Bosun stands on need 22.22. */
function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 22);
}

/** Replaces this process by one with a small heap, which is settled at its start. Where that can't be done it stays. */
function becomeSmall() {
  if (process.execve === undefined || small.every((flag) => process.execArgv.includes(flag))) return;
  const own = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const args = [process.execPath, ...process.execArgv, ...small, ...own];
  // One arena is enough for a process whose work is done in one thread.
  process.execve(process.execPath, args, { MALLOC_ARENA_MAX: "1", ...process.env });
}

function startWithNewerNode() {
  const newer = path.join(root, "node_modules", "node", "bin", "node");
  if (!existsSync(newer)) {
    console.error(
      `bosun needs Node 22.22 or newer, and this is ${process.versions.node}. Install a newer Node (https://nodejs.org).`,
    );
    process.exit(1);
  }
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // Ctrl-C reaches both processes: the newer one decides what it means, this one waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.removeAllListeners(signal ?? "SIGINT");
    if (signal !== null) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}
