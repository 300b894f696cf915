/**
 * Fetches the oldest Node on which Bosun runs, where tests find it. When it can't be fetched that is said; tests then say what
 * they skip.
 *
 *     node test/oldest-node/install.ts
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { fetchPackage } from "../support/fetch-package.ts";
import { oldestNodePath, oldestVersion } from "./find.ts";

const name = `node-${process.platform}-${process.arch}@${oldestVersion}`;
if (!existsSync(oldestNodePath))
  try {
    console.log(`Fetching Node ${oldestVersion} from ${name} ...`);
    const folder = path.dirname(oldestNodePath);
    fetchPackage(name, path.dirname(folder), (fetched, run) => {
      const node = path.join(fetched, "bin/node");
      run(node, "--version");
      mkdirSync(folder, { recursive: true });
      // Whole or not there, also when two install at once.
      renameSync(node, oldestNodePath);
    });
  } catch (error) {
    console.log(`Node ${oldestVersion} could not be fetched: ${(error as Error).message}`);
  }
