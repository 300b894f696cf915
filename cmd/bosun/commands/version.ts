/** `bosun version`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import type { Context } from "../context.ts";

export function version(context: Context): void {
  const { version: number } = JSON.parse(readFileSync(path.join(packageRoot(), "package.json"), "utf8"));
  context.out(`bosun ${number} (node ${process.versions.node})`);
}
