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
/** Started as processes. */
const entries = ["cmd/bosun/main", "pkg/session/main", "pkg/gateway/main", "pkg/rehearsal/main"];
/** Clusters, rules against secrets, certificates, the settings of editors: loaded when they are needed. */
const external = [/^@kubernetes\//, /^@secretlint\//, /^@peculiar\//, "reflect-metadata", "jsonc-parser"];

rmSync(dist, { recursive: true, force: true });
for (const entry of entries) {
  await build({
    cwd: root,
    input: `${entry}.ts`,
    platform: "node",
    external,
    logLevel: "warn",
    output: {
      dir: path.join(dist, path.dirname(entry)),
      format: "esm",
      entryFileNames: "main.js",
      chunkFileNames: "main-[name]-[hash].js",
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
