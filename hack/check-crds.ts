/**
 * Checks that the definitions in crds/ say enough: every field described and bounded, every kind with short names,
 * the category `bosun`, a status subresource and printer columns; and that kubectl reads in them what we read. Prints `file: path: what. What to do.`
 *
 *     node hack/check-crds.ts
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { dialectProblems } from "./check-crds/dialect.ts";
import { problemsOf } from "./check-crds/rules.ts";
import { readCrds } from "./generate/crds.ts";

const folder = path.resolve(import.meta.dirname, "..", "crds");
const files = readCrds(folder);
const problems = files.flatMap(({ file, crd }) => {
  const text = readFileSync(path.join(folder, file), "utf8");
  return [...dialectProblems(text), ...problemsOf(crd)].map((problem) => `crds/${file}: ${problem}`);
});

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${files.length} definitions are described and bounded.`);
