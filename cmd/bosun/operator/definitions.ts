import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { isBuilt, packageRoot } from "../../../pkg/system/package-root.ts";

/** The definitions that come with Bosun, parsed. The package has them as JSON too, which is read at once. */
export function ownDefinitions(): readonly unknown[] {
  if (isBuilt()) return JSON.parse(readFileSync(path.join(packageRoot(), "dist/crds.json"), "utf8"));
  const folder = path.join(packageRoot(), "crds");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => parse(readFileSync(path.join(folder, name), "utf8")));
}
