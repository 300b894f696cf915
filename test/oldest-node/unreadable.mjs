/**
 * Tells which of the files that stdin lists (JSON) the Node that runs this can't read as modules, and why. Plain JavaScript, as
 * the oldest Node has to run it. None of them is run.
 *
 *     node --experimental-vm-modules test/oldest-node/unreadable.mjs < LIST
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { SourceTextModule } from "node:vm";

const found = [];
for (const file of JSON.parse(readFileSync(0, "utf8"))) {
  const text = readFileSync(file, "utf8");
  try {
    new SourceTextModule(file.endsWith(".ts") ? stripTypeScriptTypes(text) : text, { identifier: file });
  } catch (error) {
    found.push(`${file}: ${error.message}`);
  }
}
console.log(JSON.stringify(found));
