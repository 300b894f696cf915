/** The package as people install it, built from the sources as they are now. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
/** Always the same one: what Node keeps of compiled code is known by its path. */
const folder = path.join(root, "node_modules/.cache/bosun-package");

/** @returns the command: a file for Node */
export function builtPackage(): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "bin", "crds", "manifests", "prompts", "schemas"]) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  const modules = path.join(folder, "node_modules");
  if (!existsSync(modules)) symlinkSync(path.join(root, "node_modules"), modules);
  const build = path.join(root, "hack/build.ts");
  execFileSync(process.execPath, [build, "--out", path.join(folder, "dist")], { stdio: "inherit" });
  return path.join(folder, "bin/bosun.mjs");
}
