import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { packageRoot } from "../package-root.ts";

/** The definitions that come with Bosun, parsed. */
export function ownDefinitions(): readonly unknown[] {
  const folder = path.join(packageRoot(), "crds");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => parse(readFileSync(path.join(folder, name), "utf8")));
}
