/**
 * Checks that imports point down the layers, and that controllers/ and pkg/runtime use no time, chance or process
 * that they were not handed. Prints `file:line: what. What to do.` and fails when there is anything to print.
 *
 *     node hack/check-sources.ts
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAst } from "vitest/node";
import { objection } from "./check-sources/imports.ts";
import { importsOf, impureUses, type Node } from "./check-sources/purity.ts";

const root = path.resolve(import.meta.dirname, "..");
const files = globSync("{cmd,controllers,pkg}/**/*.ts", { cwd: root }).filter((file) => !isTest(file));
const problems = files
  .sort()
  .flatMap((file) => problemsOf(file, readFileSync(path.join(root, file), "utf8")));

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${files.length} source files keep to the layers.`);

function problemsOf(file: string, text: string): string[] {
  const program = parseAst(text, { lang: "ts" }) as unknown as Node;
  const line = (at: number) => text.slice(0, at).split("\n").length;
  const found: { at: number; text: string }[] = [];
  for (const { source, at, typeOnly } of importsOf(program)) {
    const to = source.startsWith(".") ? path.posix.join(path.posix.dirname(file), source) : source;
    const advice = objection({ from: file, to, typeOnly });
    if (advice !== undefined) found.push({ at, text: `imports ${to}. ${advice}` });
  }
  if (file.startsWith("controllers/") || file.startsWith("pkg/runtime/")) {
    for (const { at, what, advice } of impureUses(program))
      found.push({ at, text: `uses ${what}. ${advice}` });
  }
  return found.sort((a, b) => a.at - b.at).map((problem) => `${file}:${line(problem.at)}: ${problem.text}`);
}

/** Tests, and what only tests import: contract suites and twins. */
function isTest(file: string): boolean {
  return /\.(test|contract|twin)\.ts$/.test(file) || /(^|\/)(testing|testdata)\//.test(file);
}
