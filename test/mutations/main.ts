/**
 * Puts deliberate bugs into what each promise stands on, one at a time, each in a copy of the tree, and says whether
 * the tests that stand beside each find it, and the seeds of the simulation where it says that they do.
 *
 *     npm run mutate                     all, in turn; ends with 1 when one was not caught
 *     npm run mutate -- --only NAME      one of them
 */
import { type ExecFileException, execFile, execFileSync } from "node:child_process";
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
    const { by, missed } = await find(mutation);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    if (missed.length > 0) survived += 1;
    const verdict = missed.length === 0 ? "caught  " : "SURVIVED";
    console.log(`${verdict}  ${mutation.name} (${seconds} s): ${mutation.bug}`);
    for (const who of by) console.log(`          found by ${who}`);
    for (const who of missed) console.log(`          NOT found by ${who}`);
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

interface Finding {
  /** Who found the bug. */
  by: readonly string[];
  /** Who was to find it, and did not. */
  missed: readonly string[];
}

/** Runs with the bug in it what has to find it. That nothing is found without it is what `npm test` shows. */
async function find(mutation: Mutation): Promise<Finding> {
  const file = path.join(tree, mutation.file);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, mutated(text, mutation));
  try {
    const { tests, seeds, cluster = false } = mutation;
    const by: string[] = [];
    const missed: string[] = [];
    if (tests.length > 0) ((await pass(tests)) ? missed : by).push(tests.join(", "));
    if (seeds !== undefined) {
      const found = await failingSeed(seeds, cluster);
      if (found === undefined) missed.push(`${seeds} seeds${cluster ? " of cluster mode" : ""}`);
      else by.push(found);
    }
    return { by, missed };
  } finally {
    writeFileSync(file, text);
  }
}

function pass(tests: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile(
      path.join(root, "node_modules/.bin/vitest"),
      ["run", "--bail=1", "--reporter=dot", ...tests],
      { cwd: tree, maxBuffer: 64 * 1024 * 1024 },
      (error) => (isVerdict(error) ? resolve(error === null) : reject(error)),
    );
  });
}

/** The first of the seeds that fails, and what it says was broken; undefined when all `count` pass. */
function failingSeed(count: number, cluster: boolean): Promise<string | undefined> {
  const which = cluster ? ["--from", "3", "--step", "4"] : [];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["test/simulation/main.ts", "--seeds", String(count), ...which],
      { cwd: tree, maxBuffer: 64 * 1024 * 1024 },
      (error, output) => {
        if (!isVerdict(error)) return reject(error);
        if (error === null) return resolve(undefined);
        const [said = error.message, replay = ""] = output.trim().split("\n\n").slice(-2);
        const seed = /--seed (\d+)/.exec(replay)?.[1] ?? "?";
        resolve(`seed ${seed} of the simulation: ${said.split("\n")[0]?.slice(0, 200)}`);
      },
    );
  });
}

/** Whether it came to its end, and was not ended by somebody. */
function isVerdict(error: ExecFileException | null): boolean {
  return error === null || typeof error.code === "number";
}
