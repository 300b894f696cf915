/** What came out: branches, commits, reviews, cost, and where to look. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { withObjects } from "../../cmd/bosun/operator-client/connect.ts";
import { layout } from "../../cmd/bosun/tables/layout.ts";
import { type Objects, readObjects } from "../../cmd/bosun/view/objects.ts";

/** Prints the summary. @returns the exit code: 0 when at least five projects were merged and the target's tests pass */
export async function summarize({
  repository,
  folder,
}: {
  repository: string;
  folder: string;
}): Promise<number> {
  // Where it was last worked for: the folder's own log, or a cluster.
  const objects = await withObjects({ cwd: repository, note: () => {} }, ({ client }) => readObjects(client));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", repository, ...args], { encoding: "utf8" }).trimEnd();
  const target = objects.workspaces[0]?.status?.target?.branch ?? "rehearsal/main";
  const print = (...lines: string[]): void => console.log(lines.join("\n"));

  print("", "What came out", "");
  print(...projectTable(objects), "");
  print(...reviewTable(objects), "");
  const [budget] = objects.budgets;
  const daily = budget?.status?.daily;
  print(
    `Cost: $${(daily?.spentUSD ?? 0).toFixed(4)} of $${(budget?.spec.daily?.usd ?? 0).toFixed(2)}, played in rehearsal, in ${daily?.requests ?? 0} requests.`,
  );
  for (const { metadata, spec } of objects.escalations)
    print(`Waits for you: ${metadata.name} (${spec.reason}). ${spec.message ?? ""}`);
  print("", `${target}:`, git("log", "--graph", "--oneline", "--no-color", "-n", "30", target));

  const green = testsPass(repository, folder, target);
  const merged = objects.projects.filter(({ status }) => status?.phase === "Done").length;
  print(
    "",
    `${merged} of ${objects.projects.length} projects are merged into ${target}; its tests ${green ? "pass" : "FAIL"}. main is as it was.`,
  );
  print(
    "",
    "Where to look:",
    `  cd ${repository}`,
    `  git log --graph ${target}       each merge names its project, review and agents`,
    "  ls .claude-sessions/            what was declared; agent-*.session is what was seen",
    `  ${bosunCommand} status   and: get projects, describe project NAME, why NAME, escalations, logs agent-1`,
  );
  return merged >= 5 && green ? 0 : 1;
}

const bosunCommand = `node ${path.resolve(import.meta.dirname, "../../bin/bosun.mjs")}`;

function projectTable({ projects }: Objects): string[] {
  const rows = [...projects]
    .sort((a, b) => (a.status?.number ?? 0) - (b.status?.number ?? 0))
    .map(({ metadata, status }) => [
      String(status?.number ?? ""),
      metadata.name,
      status?.phase ?? "",
      status?.branch ?? "",
      status?.head?.slice(0, 9) ?? "",
      status?.mergeCommit?.slice(0, 9) ?? "",
      `$${(status?.costUSD ?? 0).toFixed(4)}`,
    ]);
  return layout([["NO", "PROJECT", "PHASE", "BRANCH", "COMMIT", "MERGED AS", "COST"], ...rows]);
}

function reviewTable({ reviews }: Objects): string[] {
  const rows = [...reviews]
    .sort((a, b) => a.spec.project.localeCompare(b.spec.project) || a.spec.cycle - b.spec.cycle)
    .map(({ spec, status }) => [
      spec.project,
      String(spec.cycle),
      spec.author,
      status?.reviewer ?? "",
      status?.verdict ?? status?.state ?? "",
      (status?.feedback ?? "").split("\n")[0]?.slice(0, 60) ?? "",
    ]);
  return layout([["PROJECT", "CYCLE", "AUTHOR", "REVIEWER", "VERDICT", "FEEDBACK"], ...rows]);
}

/** Runs the target's own tests in a clean checkout. */
function testsPass(repository: string, folder: string, target: string): boolean {
  const checkout = path.join(folder, "check");
  if (existsSync(checkout)) execFileSync("rm", ["-rf", checkout]);
  execFileSync("git", ["clone", "--quiet", "--branch", target, repository, checkout], { stdio: "ignore" });
  try {
    execFileSync("npm", ["test"], { cwd: checkout, stdio: "ignore" });
    return true;
  } catch {
    // The exit code says it; the output is one `npm test` away.
    return false;
  }
}
