import path from "node:path";
import { isBuilt, packageRoot } from "./package-root.ts";

/**
 * The file of a module that is started as a process of its own: `.ts` as it is developed, in dist/ as it is published.
 *
 * @param module - from the package's root, without its extension: `pkg/session/main`
 * @param extension - of the file in dist/
 */
export function entryPath(module: string, extension: "js" | "cjs" = "js"): string {
  return isBuilt()
    ? path.join(packageRoot(), "dist", `${module}.${extension}`)
    : path.join(packageRoot(), `${module}.ts`);
}
