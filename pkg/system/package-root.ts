import { existsSync } from "node:fs";
import path from "node:path";

/** The folder that holds package.json, crds/ and prompts/: above the sources, and above dist/ of the package. */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json")) && existsSync(path.join(folder, "crds"))) return folder;
  }
  throw new Error(
    `No folder above ${import.meta.dirname} holds package.json and crds/: Bosun isn't whole. Reinstall it.`,
  );
}

/** Whether this is the package, built into dist/, and not its sources. */
export function isBuilt(): boolean {
  return !import.meta.filename.endsWith(".ts");
}
