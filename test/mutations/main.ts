/**
 * Puts deliberate bugs into the ledger, the claim, the log and the stop path, one at a time, each in a copy of the tree,
 * and says whether the tests that stand beside each find it.
 *
 *     npm run mutate                     all, in turn; ends with 1 when one was not caught
 *     npm run mutate -- --only NAME      one of them
 */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { mutated } from "./mutated.ts";
import { type Mutation, mutations } from "./mutations.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });
const chosen = mutations.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0)
  throw new Error(
    `There is no mutation ${values.only}. There are: ${mutations.map(({ name }) => name).join(", ")}.`,
  );
const root = path.resolve(import.meta.dirname, "../..");

const tree = copyOfTree();
let survived = 0;
try {
  for (const mutation of chosen) {
    const startedMs = performance.now();
    const isCaught = await find(mutation);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    if (!isCaught) survived += 1;
    console.log(`${isCaught ? "caught  " : "SURVIVED"}  ${mutation.name} (${seconds} s): ${mutation.bug}`);
  }
} finally {
  rmSync(tree, { recursive: true, force: true });
}
console.log(`${chosen.length - survived} of ${chosen.length} were caught.`);
process.exitCode = survived === 0 ? 0 : 1;

/** What is committed or changed here, without what is built or installed: that is linked. */
function copyOfTree(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-mutations-"));
  const listed = execFileSync(
    "git",
    ["-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  for (const file of listed.split("\0").filter((name) => name !== ""))
    cpSync(path.join(root, file), path.join(folder, file));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

/** Whether the tests fail with the bug in it. That they pass without it is what `npm test` shows. */
async function find(mutation: Mutation): Promise<boolean> {
  const file = path.join(tree, mutation.file);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, mutated(text, mutation));
  try {
    return !(await pass(mutation.tests));
  } finally {
    writeFileSync(file, text);
  }
}

function pass(tests: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(
      path.join(root, "node_modules/.bin/vitest"),
      ["run", "--bail=1", "--reporter=dot", ...tests],
      { cwd: tree, maxBuffer: 64 * 1024 * 1024 },
      (error) => resolve(error === null),
    );
  });
}
