import { checkConfigurationFindings } from "./check-configuration.ts";
import type { CommitSource, FileChange } from "./commit-source.ts";
import { pathFindings } from "./paths.ts";
import type { Finding } from "./quality.ts";
import { weakenedTests } from "./weakened.ts";

/**
 * Secrets and protected paths in every commit of `base..head`; weakened tests and changed check configuration in
 * the sum of them, since a step that a later one takes back weakens nothing.
 */
export async function inspectCommits(
  source: CommitSource,
  { base, head, protectedPaths }: { base: string; head: string; protectedPaths: readonly string[] },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const commit of await source.commits(base, head)) {
    const changes = await source.changesOf(commit.id);
    const contents = await contentsOf(source, changes);
    findings.push(...pathFindings(commit.id, changes, protectedPaths, contents));
    // Its rules take more memory than most of a resting operator's parts, so they are loaded by the first commit; and as
    // nothing else goes on meanwhile, not before it is read: its checks have begun then.
    const { secretFindings } = await import("./secrets.ts");
    findings.push(...(await secretFindings(commit, changes, contents)));
  }
  const sum = await source.changesBetween(base, head);
  const contents = await contentsOf(source, sum);
  findings.push(...weakenedTests(head, sum, contents), ...checkConfigurationFindings(head, sum, contents));
  return findings;
}

function contentsOf(
  source: CommitSource,
  changes: readonly FileChange[],
): Promise<ReadonlyMap<string, Buffer>> {
  const versions = changes.flatMap(({ before, after }) => [before, after]);
  const blobs = versions.flatMap((version) => (version && version.mode !== "160000" ? [version.blob] : []));
  return source.contents([...new Set(blobs)]);
}
