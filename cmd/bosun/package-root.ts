import { existsSync } from "node:fs";
import path from "node:path";

/**
 * The folder that holds package.json, crds/ and prompts/: two levels up from the sources, three from the compiled
 * command.
 */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json")) && existsSync(path.join(folder, "crds"))) return folder;
  }
  throw new Error(
    `No folder above ${import.meta.dirname} holds package.json and crds/: Bosun isn't whole. Reinstall it.`,
  );
}
