/**
 * Builds dist/ of the npm package. The command and what it starts as processes of their own become files with all that
 * they import at their start: a session host reads 400 modules else, which takes it four times as long. Packages that
 * few runs need are left where npm installs them. Beside that lie the files that are read at run time (scenarios) and the
 * CRDs as JSON.
 *
 *     npm run build
 *     npm run build -- --out FOLDER     dist/ of another folder that has the rest of the package
 */
import { cpSync, globSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "rolldown";
import { ownDefinitions } from "../cmd/bosun/operator/definitions.ts";

const root = path.resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string" } } });
const dist = values.out === undefined ? path.join(root, "dist") : path.resolve(values.out);
/** Started as processes, by which file of dist/. A session host is run from kept code, see pkg/system/kept-code.ts. */
const entries = [
  { from: "cmd/bosun/main", to: "cmd/bosun/main.js" },
  { from: "pkg/gateway/main", to: "pkg/gateway/main.js" },
  { from: "pkg/rehearsal/main", to: "pkg/rehearsal/main.js" },
  { from: "pkg/session/kept-main", to: "pkg/session/main.cjs" },
  { from: "pkg/session/main", to: "pkg/session/host.cjs" },
];
/**
 * Clusters, rules against secrets, the settings of editors: loaded when they are needed. The library for certificates is not
 * among them: it is a hundred files, which the first start in a workspace would wait for.
 */
const external = [/^@kubernetes\//, /^@secretlint\//, "jsonc-parser"];

rmSync(dist, { recursive: true, force: true });
for (const { from, to } of entries) {
  const { dir, name, ext } = path.parse(to);
  await build({
    cwd: root,
    input: `${from}.ts`,
    platform: "node",
    external,
    logLevel: "warn",
    output: {
      dir: path.join(dist, dir),
      format: ext === ".cjs" ? "cjs" : "esm",
      entryFileNames: `${name}${ext}`,
      chunkFileNames: `${name}-[name]-[hash]${ext}`,
      ...(ext === ".cjs" ? { codeSplitting: false } : {}),
      // The text stays in memory, twice as large where one character of it is none of Latin-1.
      charset: "ascii",
      comments: { legal: true, annotation: false, jsdoc: false },
    },
  });
}
writeFileSync(path.join(dist, "crds.json"), JSON.stringify(ownDefinitions()));

const isAsset = (file: string) =>
  !file.endsWith(".ts") &&
  !file.endsWith(".md") &&
  !file.includes("/testing/") &&
  statSync(path.join(root, file)).isFile();
for (const file of globSync("pkg/**/*", { cwd: root }).filter(isAsset)) {
  cpSync(path.join(root, file), path.join(dist, file));
}
