import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { pauseMsAfter } from "./start-again.ts";

test("the first end on a full disk waits for room alone, each next one in a row longer, up to five minutes", () => {
  const pauses = [1, 2, 3, 4, 8, 9, 1_000].map(pauseMsAfter);
  expect(pauses).toEqual([0, 5_000, 10_000, 20_000, 300_000, 300_000, 300_000]);
});

/** Has a process start again after each of `ranMs`, and tells what each of its starts was left. */
async function startsOf(
  ranMs: readonly number[],
  left?: string,
): Promise<readonly Record<string, unknown>[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-start-again-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const main = path.join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { startAgain, takeFullDisks } from ${JSON.stringify(path.join(import.meta.dirname, "start-again.ts"))};
const before = takeFullDisks();
const { pid, argv, env } = process;
console.log(JSON.stringify({ pid, before, args: argv.slice(2), told: env.BOSUN_FULL_DISKS }));
const [ranMs, ...rest] = JSON.parse(env.RAN_MS);
env.RAN_MS = JSON.stringify(rest);
if (ranMs !== undefined) startAgain({ before, ranMs });
`,
  );
  const env = { ...process.env, RAN_MS: JSON.stringify(ranMs), BOSUN_FULL_DISKS: left };
  const { stdout } = await promisify(execFile)(process.execPath, [main, "up", "--rehearse"], { env });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a process that starts again counts the full disks in a row, anew once it ran for ten minutes, and tells no other", async () => {
  const starts = await startsOf([0, 599_999, 600_000, 0]);
  expect(starts.map(({ before }) => before)).toEqual([0, 1, 2, 1, 2]);
  const [{ pid } = {}] = starts;
  for (const start of starts)
    expect(start).toEqual({ pid, before: start.before, args: ["up", "--rehearse"] });
});

test("what is no count of full disks is none", async () => {
  expect(await startsOf([], "many")).toMatchObject([{ before: 0 }]);
});
