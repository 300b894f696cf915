/** The package as people install it, built from the sources as they are now. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const packages = path.join(root, "node_modules/.cache/bosun-packages");
/** A package that was not asked for so long goes, in milliseconds: what was started from it has ended. */
const keptMs = 24 * 60 * 60_000;

/**
 * Builds it, 2 s of work. The same sources give the same folder, by whose path Node knows what it keeps of compiled code,
 * and no other sources do: what runs in one is not disturbed by the next build.
 *
 * @returns the command: a file for Node
 */
export function builtPackage(): string {
  mkdirSync(packages, { recursive: true });
  removeOld();
  const building = mkdtempSync(path.join(packages, "building-"));
  for (const name of ["package.json", "bin", "crds", "manifests", "prompts", "schemas"])
    cpSync(path.join(root, name), path.join(building, name), { recursive: true });
  const build = path.join(root, "hack/build.ts");
  execFileSync(process.execPath, [build, "--out", path.join(building, "dist")], { stdio: "inherit" });
  const folder = path.join(packages, digestOf(building));
  symlinkSync(path.join(root, "node_modules"), path.join(building, "node_modules"));
  try {
    renameSync(building, folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    rmSync(building, { recursive: true });
  }
  utimesSync(folder, new Date(), new Date());
  return path.join(folder, "bin/bosun.mjs");
}

function digestOf(folder: string): string {
  const hash = createHash("sha256");
  for (const file of globSync("**/*", { cwd: folder }).toSorted()) {
    const absolute = path.join(folder, file);
    if (statSync(absolute).isFile()) hash.update(`${file}\0`).update(readFileSync(absolute)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

function removeOld(): void {
  for (const name of readdirSync(packages)) {
    const folder = path.join(packages, name);
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > keptMs) rmSync(folder, { recursive: true, force: true });
  }
}
