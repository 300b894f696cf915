import path from "node:path";
import { isBuilt, packageRoot } from "./package-root.ts";

/**
 * The file of a module that is started as a process of its own: `.ts` as it is developed, in dist/ as it is published.
 *
 * @param module - from the package's root, without its extension: `pkg/session/main`
 */
export function entryPath(module: string): string {
  return isBuilt()
    ? path.join(packageRoot(), "dist", `${module}.js`)
    : path.join(packageRoot(), `${module}.ts`);
}
