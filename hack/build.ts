/**
 * Compiles the command to dist/ for the npm package, with the files beside the sources that it reads when it runs
 * (scenarios, prices). What is started as a process of its own becomes one file with all that it imports: a session
 * host reads 400 modules else, which takes it four times as long as the file.
 *
 *     npm run build
 *     npm run build -- --out FOLDER
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "rolldown";

const root = path.resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string" } } });
const dist = values.out === undefined ? path.join(root, "dist") : path.resolve(values.out);
const processes = ["pkg/session/main", "pkg/gateway/main", "pkg/rehearsal/main"];

rmSync(dist, { recursive: true, force: true });
const compile = ["-p", "tsconfig.build.json", "--outDir", dist];
const compiled = spawnSync("tsc", compile, { cwd: root, stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);

const isAsset = (file: string) =>
  !file.endsWith(".ts") &&
  !file.endsWith(".md") &&
  !file.includes("/testing/") &&
  statSync(path.join(root, file)).isFile();
for (const file of globSync("pkg/**/*", { cwd: root }).filter(isAsset)) {
  cpSync(path.join(root, file), path.join(dist, file));
}

for (const entry of processes) {
  const file = path.join(dist, `${entry}.js`);
  await build({
    input: path.join(root, `${entry}.ts`),
    platform: "node",
    logLevel: "warn",
    output: { file, format: "esm", codeSplitting: false },
  });
}
