import { fileURLToPath } from "node:url";

/**
 * The file of a module that is started as a process of its own, beside the asking module: `.ts` as it is developed,
 * `.js` as it is published.
 *
 * @param from - `import.meta.url` of the asking module
 * @param module - relative, without its extension: `./main`
 */
export function entryPath(from: string, module: string): string {
  return fileURLToPath(new URL(`${module}${from.endsWith(".ts") ? ".ts" : ".js"}`, from));
}
