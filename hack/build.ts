/**
 * Compiles the command to dist/ for the npm package, with the files beside the sources that it reads when it runs
 * (scenarios, prices).
 *
 *     npm run build
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync, statSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const dist = path.join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const compiled = spawnSync("tsc", ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);

const isAsset = (file: string) =>
  !file.endsWith(".ts") &&
  !file.endsWith(".md") &&
  !file.includes("/testing/") &&
  statSync(path.join(root, file)).isFile();
for (const file of globSync("pkg/**/*", { cwd: root }).filter(isAsset)) {
  cpSync(path.join(root, file), path.join(dist, file));
}
