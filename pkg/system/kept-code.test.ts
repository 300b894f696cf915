import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

interface Stage {
  write(text: string): void;
  /** Runs the file in a process of its own: what it prints, and whether it ran from kept code. */
  run(): Promise<string>;
  /** The files of kept code. */
  kept(): readonly string[];
}

function stage(): Stage {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-kept-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "main.cjs");
  const caches = path.join(folder, "caches");
  const module = JSON.stringify(path.join(import.meta.dirname, "kept-code.ts"));
  const program = `import { runKept } from ${module}; console.log(runKept(${JSON.stringify(file)}))`;
  const args = ["--no-warnings", "--input-type=module", "--eval", program];
  const env = { ...process.env, NODE_COMPILE_CACHE: caches };
  return {
    write: (text) => writeFileSync(file, text),
    async run() {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
      return stdout + stderr;
    },
    kept: () =>
      readdirSync(caches)
        .filter((name) => name.endsWith(".code"))
        .map((name) => path.join(caches, name)),
  };
}

const program = (greeting: string, isWorthKeeping: boolean): string =>
  `const path = require("node:path");
   function greet() { console.log("${greeting}", path.basename(__filename)); }
   greet();
   exports.isWorthKeeping = () => ${isWorthKeeping};`;

test("a second process runs from the code that the first has kept", async () => {
  const { write, run } = stage();
  write(program("hello", true));
  expect(await run()).toBe("hello main.cjs\nfalse\n");
  expect(await run()).toBe("hello main.cjs\ntrue\n");
});

test("another text of the same length is not run from the code of the first", async () => {
  const { write, run } = stage();
  write(program("hello", true));
  await run();
  write(program("howdy", true));
  expect(await run()).toBe("howdy main.cjs\nfalse\n");
});

test.each([
  ["cut short", (code: Buffer) => code.subarray(0, -1000)],
  ["empty", () => Buffer.alloc(0)],
  [
    "with a wrong byte in it",
    (code: Buffer) => Buffer.from(code).fill(0x55, code.length - 9, code.length - 8),
  ],
])("kept code that is %s is not run, and kept anew", async (_, damage) => {
  const { write, run, kept } = stage();
  write(program("hello", true));
  await run();
  for (const file of kept()) writeFileSync(file, damage(readFileSync(file)));
  expect(await run()).toBe("hello main.cjs\nfalse\n");
  expect(await run()).toBe("hello main.cjs\ntrue\n");
});

test("a process that did not do what others will do keeps nothing", async () => {
  const { write, run } = stage();
  write(program("hello", false));
  await run();
  expect(await run()).toBe("hello main.cjs\nfalse\n");
});
