import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("this version of Node knows what it is told, and says nothing", async () => {
  const module = path.join(import.meta.dirname, "compile-late.ts");
  const program = `import { compileLate } from ${JSON.stringify(module)}; compileLate();`;
  const args = ["--no-warnings", "--input-type=module", "--eval", program];
  expect(await promisify(execFile)(process.execPath, args)).toEqual({ stdout: "", stderr: "" });
});
