import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Rest } from "./memory-at-rest.ts";

/** In milliseconds of processor time within half a minute. */
const busy = 900;
const quiet = 200;

test("memory is given back when a busy process comes to rest, once", () => {
  const rest = new Rest();
  const due = [busy, busy, quiet, quiet, quiet, busy, busy, quiet, quiet].map((usedMs) => rest.isDue(usedMs));
  expect(due).toEqual([false, false, true, false, false, false, false, true, false]);
});

test("a process that rests for long gives back what gathers meanwhile, every three minutes", () => {
  const rest = new Rest();
  const due = Array.from({ length: 15 }, () => rest.isDue(quiet)).flatMap((isDue, look) =>
    isDue ? [look] : [],
  );
  expect(due).toEqual([0, 6, 12]);
});

test("what is given back is out of the process's memory", async () => {
  const module = path.join(import.meta.dirname, "memory-at-rest.ts");
  const program = `
    import { giveMemoryBack } from ${JSON.stringify(module)};
    let held = Array.from({ length: 400_000 }, (_, index) => ({ index }));
    gc();
    held = undefined;
    const before = process.memoryUsage.rss();
    giveMemoryBack();
    console.log(before - process.memoryUsage.rss());
  `;
  const args = ["--expose-gc", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(Number(stdout)).toBeGreaterThan(10_000_000);
});
