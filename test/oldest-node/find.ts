/** The oldest Node on which package.json says that Bosun runs. People have it; our own checkouts run a newer one. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const { engines } = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, "../../package.json"), "utf8"),
) as { engines: { node: string } };

/** `22.22.0` */
export const oldestVersion = `${/^>=(\d+\.\d+)$/.exec(engines.node)?.[1]}.0`;

/** Where `install.ts` puts it. Not in the tree. */
export const oldestNodePath = path.resolve(
  import.meta.dirname,
  `../../node_modules/.cache/bosun/node/${oldestVersion}/node`,
);

/** Absolute. Undefined, which is said, where it was not fetched. */
export function findOldestNode(): string | undefined {
  if (existsSync(oldestNodePath)) return oldestNodePath;
  console.warn(`SKIPPED: Node ${oldestVersion} is not there. Run: node test/oldest-node/install.ts`);
  return undefined;
}
