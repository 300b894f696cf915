/**
 * Checks that the definitions in crds/ say enough: every field described and bounded, every kind with short names,
 * the category `bosun`, a status subresource and printer columns. Prints `file: path: what. What to do.`
 *
 *     node hack/check-crds.ts
 */
import path from "node:path";
import { problemsOf } from "./check-crds/rules.ts";
import { readCrds } from "./generate/crds.ts";

const files = readCrds(path.resolve(import.meta.dirname, "..", "crds"));
const problems = files.flatMap(({ file, crd }) =>
  problemsOf(crd).map((problem) => `crds/${file}: ${problem}`),
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${files.length} definitions are described and bounded.`);
