/**
 * Writes what is generated: types, editors' JSON Schemas and reference pages from crds/*.yaml, diagrams from the tables
 * of phases and states. With `--check` it writes nothing and fails where a file differs.
 *
 *     npm run generate
 *     npm run generate -- --check
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readCrds } from "./generate/crds.ts";
import { editorSchemas } from "./generate/editor-schemas.ts";
import { referencePages } from "./generate/reference.ts";
import { statesPage } from "./generate/states.ts";
import { typesOf } from "./generate/types.ts";

const root = path.resolve(import.meta.dirname, "..");
/** Where nothing but generated files may lie: a kind that is gone takes its files with it. */
const wholeFolders = ["schemas/*", "docs/reference/*"];
const check = process.argv.includes("--check");
const crds = readCrds(path.join(root, "crds")).map(({ crd }) => crd);
if (crds.length === 0) throw new Error("crds/ holds no definition: nothing would be left of the types.");

const outputs = [
  { file: "pkg/api/generated.ts", text: typesOf(crds), source: "crds/" },
  { file: "docs/states.md", text: statesPage(), source: "pkg/api" },
  ...referencePages(crds).map((each) => ({ ...each, source: "crds/ with hack/generate/reference/" })),
  ...editorSchemas(crds).map((each) => ({ ...each, source: "crds/" })),
];
for (const { file, text, source } of outputs) {
  const target = path.join(root, file);
  if (read(target) === text) continue;
  if (check) {
    console.error(`${file} is not what ${source} gives. Run: npm run generate`);
    process.exitCode = 1;
  } else {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(`Wrote ${file}.`);
  }
}
for (const file of globSync(wholeFolders, { cwd: root }).sort()) {
  if (outputs.some((output) => output.file === file)) continue;
  if (check) {
    console.error(`${file} is generated from nothing any more. Run: npm run generate`);
    process.exitCode = 1;
  } else {
    rmSync(path.join(root, file));
    console.log(`Removed ${file}.`);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not there yet: it differs from whatever is generated.
    return undefined;
  }
}
