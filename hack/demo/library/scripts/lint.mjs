// The house rules: sources that parse, tidy lines, a docstring on every export, no sloppy constructs.
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

process.removeAllListeners("warning").on("warning", () => {});

const lineRules = [
  { when: /\s+$/, say: "white space at the end of the line" },
  { when: /\t/, say: "a tab" },
  { when: /^.{121,}/, say: "more than 120 characters" },
  { when: /\bvar\s/, say: "var: use const or let" },
  { when: /[^=!]==[^=]/, say: "==: use ===" },
  { when: /:\s*any\b|\bas any\b/, say: "any: say what it is" },
  { when: /\b(test|it)\.(only|skip)\(/, say: "a test that is skipped or runs alone" },
];

const problems = ["src", "test"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap((name) => lint(join(folder, name))),
);
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "lint: no problems" : `lint: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function lint(path) {
  const source = readFileSync(path, "utf8");
  const lines = source.split("\n");
  const found = [];
  const report = (index, what) => found.push(`${path}:${index + 1}: ${what}`);
  try {
    stripTypeScriptTypes(source);
  } catch (error) {
    report(0, `does not parse: ${error.message}`);
  }
  if (!source.endsWith("\n")) report(lines.length - 1, "no newline at the end");
  for (const [index, line] of lines.entries()) {
    for (const rule of lineRules) if (rule.when.test(line)) report(index, rule.say);
    if (path.startsWith("src") && /\bconsole\./.test(line)) report(index, "console: a library stays silent");
    const exported = /^export (async )?(function|class|const)/.test(line);
    if (exported && !/\*\/\s*$/.test(lines[index - 1] ?? "")) report(index, "an export without a docstring");
  }
  return found;
}
