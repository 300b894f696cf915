import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const begins = `
import { writeFileSync } from "node:fs";
import { untilInterrupted, whenInterrupted } from "${pathToFileURL(join(import.meta.dirname, "interrupted.ts"))}";
const undo = async () => writeFileSync(process.argv[1], "");
`;

const prints = `${begins}
whenInterrupted(undo);
setInterval(() => console.log("at work"), 10);
`;

// Signals come at once, however long a busy machine takes from one to the next.
const judges = `${begins}
performance.now = () => 0;
const interruption = untilInterrupted(undo);
const work = setInterval(() => {
  console.log("at work");
  if (interruption.isAskedToEnd) clearInterval(work);
}, 10);
process.on("exit", () => console.log("judged"));
`;

const hangs = `${begins}
untilInterrupted(undo);
setInterval(() => console.log("at work"), 10);
`;

interface Command {
  child: ChildProcessByStdio<null, Readable, null>;
  /** What it makes when it undoes what is under way. */
  undone: string;
}

async function atWork(source: string): Promise<Command> {
  const folder = mkdtempSync(join(tmpdir(), "bosun-interrupted-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const undone = join(folder, "undone");
  const child = spawn(process.execPath, ["--input-type=module", "-e", source, undone], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return { child, undone };
}

test.each([
  { how: "nobody reads what it prints", code: 141 },
  { how: "it is interrupted", code: 130 },
])("what a command has started is undone where $how: a closed pipe left it running", async ({ code }) => {
  const { child, undone } = await atWork(prints);
  if (code === 141) child.stdout.destroy();
  else child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([code, null]);
  expect(existsSync(undone)).toBe(true);
});

test("a run that can be judged at any moment comes to its own end at the first interruption, of which npm makes two", async () => {
  const { child, undone } = await atWork(judges);
  const said = text(child.stdout);
  child.kill("SIGINT");
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(await said).toMatch(/judged\n$/);
  expect(existsSync(undone)).toBe(false);
});

test("who interrupts it once more need not wait for its end", async () => {
  const { child, undone } = await atWork(hangs);
  child.stdout.resume();
  const exit = once(child, "exit");
  while (child.kill("SIGINT")) await sleep(50);
  expect(await exit).toEqual([130, null]);
  expect(existsSync(undone)).toBe(true);
});
