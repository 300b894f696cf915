/** The kubectl programs that tests can run: those of this machine, and those that `install.ts` fetched. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";

export interface Kubectl {
  /** `1.32` */
  readonly release: string;
  /** `v1.32.4` */
  readonly version: string;
  /** Absolute; its name may be another than kubectl. */
  readonly path: string;
}

/** Where `install.ts` puts them: one folder a release. Not in the tree. */
export const kubectlCache = path.resolve(import.meta.dirname, "../../node_modules/.cache/bosun/kubectl");

/** The release with which the conformance expectations were recorded. */
export const recordedRelease = "1.32";

/** One kubectl of each release that is there, the oldest first. */
export function findKubectls(env: NodeJS.ProcessEnv = process.env): readonly Kubectl[] {
  const found = new Map<string, Kubectl>();
  for (const candidate of [...ofMachine(env), ...fetched()]) {
    const version = versionOf(candidate);
    const release = /^v(\d+\.\d+)\./.exec(version ?? "")?.[1];
    if (version !== undefined && release !== undefined && !found.has(release))
      found.set(release, { release, version, path: candidate });
  }
  return [...found.values()].sort((a, b) => minorOf(a) - minorOf(b));
}

/** The best one to test with: of the recorded release, else of the nearest one. */
export function findKubectl(): Kubectl | undefined {
  const distance = (kubectl: Kubectl) => Math.abs(minorOf(kubectl) - minorOf({ release: recordedRelease }));
  return findKubectls().toSorted((a, b) => distance(a) - distance(b))[0];
}

export function minorOf({ release }: Pick<Kubectl, "release">): number {
  return Number(release.split(".")[1]);
}

/** The kubectl of PATH; some installations have `kubectl.1.30` and others beside it. */
function ofMachine(env: NodeJS.ProcessEnv): string[] {
  const first = (env.PATH ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "kubectl"))
    .find((file) => existsSync(file));
  if (first === undefined) return [];
  const real = realpathSync(first);
  const beside = readdirSync(path.dirname(real)).filter((name) => /^kubectl\.1\.\d+$/.test(name));
  // One that only chooses among those beside it comes last: it has no version of its own.
  return [...beside.map((name) => path.join(path.dirname(real), name)), real];
}

function fetched(): string[] {
  if (!existsSync(kubectlCache)) return [];
  return readdirSync(kubectlCache)
    .filter((name) => /^\d+\.\d+$/.test(name))
    .map((release) => path.join(kubectlCache, release, "kubectl"))
    .filter((file) => existsSync(file));
}

function versionOf(file: string): string | undefined {
  try {
    const text = execFileSync(file, ["version", "--client", "-o", "json"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 30_000,
    });
    return JSON.parse(text).clientVersion.gitVersion.split(/[-+]/)[0];
  } catch {
    // Of another system, or no kubectl at all: it is as if it were not there.
    return undefined;
  }
}
