import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const prints = `
import { writeFileSync } from "node:fs";
import { whenInterrupted } from "${pathToFileURL(join(import.meta.dirname, "interrupted.ts"))}";
whenInterrupted(async () => writeFileSync(process.argv[1], ""));
setInterval(() => console.log("at work"), 10);
`;

test.each([
  { how: "nobody reads what it prints", code: 141 },
  { how: "it is interrupted", code: 130 },
])("what a command has started is undone where $how: a closed pipe left it running", async ({ code }) => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-interrupted-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const undone = join(folder, "undone");
  const child = spawn(process.execPath, ["--input-type=module", "-e", prints, undone], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  if (code === 141) child.stdout.destroy();
  else child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([code, null]);
  expect(existsSync(undone)).toBe(true);
});
