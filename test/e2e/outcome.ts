/** How a demo has to come out, whoever was killed on the way. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { lastKnown } from "../../cmd/bosun/operator-client/last-known.ts";
import { type Objects, readObjects } from "../../cmd/bosun/view/objects.ts";
import { type Accounts, accountsOf, discrepancies, intrusions, repeats } from "./accounts.ts";
import { type Checkout, checkoutOf } from "./checkout.ts";
import type { PreparedDemo } from "./demo-harness.ts";
import { callsOf, repeatedEffects } from "./effects.ts";
import { type Merge, mergesOn, untraceable } from "./merges.ts";
import { processesOf, type RunningProcess } from "./processes.ts";

export const target = "rehearsal/main";

/** How each project of the demo ends. */
export const endings: Readonly<Record<string, string>> = {
  "add-months-end": "Done",
  "chunk-size": "Done",
  "duration-garbage": "Done",
  "merge-pollution": "Escalated",
  "slugify-accents": "Done",
  "truncate-length": "Done",
};

export interface Outcome {
  objects: Objects;
  merges: readonly Merge[];
  accounts: Accounts;
  left: readonly RunningProcess[];
  /** Checkouts, temporary files, locks and refs that were for work in hand only. */
  debris: readonly string[];
  after: Checkout;
  /** Tool calls whose effect the model does not know the number of. */
  repeatedEffects: readonly string[];
}

/** Reads what a demo that has ended left behind. Nothing of Bosun is asked but the log's reader. */
export async function outcomeOf({ folder, repository, workspace, effects }: PreparedDemo): Promise<Outcome> {
  const client = await lastKnown(workspace.log);
  if (client === undefined) throw new Error(`${workspace.log} has no log.`);
  return {
    objects: await readObjects(client),
    merges: mergesOn(repository, target, "main"),
    accounts: accountsOf(workspace),
    left: await processesOf(folder),
    debris: debrisOf(folder, repository),
    after: checkoutOf(repository),
    repeatedEffects: repeatedEffects(
      callsOf(workspace.sessions),
      effects === undefined ? undefined : readFileSync(effects, "utf8").split("\n").slice(0, -1),
    ),
  };
}

/** Everything that must hold after any demo and does not, a sentence each. */
export function violations(
  { objects, merges, accounts, left, debris, after, repeatedEffects: again }: Outcome,
  before: Checkout,
): string[] {
  const wrong: string[] = [];
  const phases = Object.fromEntries(
    objects.projects.map(({ metadata, status }) => [metadata.name, status?.phase ?? ""]),
  );
  if (!sameEntries(phases, endings)) wrong.push(`The projects ended as ${JSON.stringify(phases)}.`);
  const merged = merges.map(({ project }) => project).sort();
  const wanted = Object.keys(endings).filter((name) => endings[name] === "Done");
  if (merged.join() !== wanted.sort().join())
    wrong.push(`Merged into ${target} are ${merged.join(", ") || "none"}.`);
  wrong.push(...untraceable(merges, objects), ...discrepancies(accounts), ...intrusions(accounts));
  wrong.push(...repeats(accounts), ...again);
  wrong.push(...left.map(({ pid, command }) => `Process ${pid} is left: ${command}`));
  wrong.push(...debris.map((entry) => `${entry} is left.`));
  for (const part of ["head", "branches", "status", "files"] as const)
    if (JSON.stringify(before[part]) !== JSON.stringify(after[part]))
      wrong.push(
        `The person's ${part} changed from ${JSON.stringify(before[part])} to ${JSON.stringify(after[part])}.`,
      );
  return wrong;
}

/** Runs the target's own tests in a clean clone. @returns their output when they fail */
export function failedTests({ folder, repository }: PreparedDemo): string | undefined {
  const clone = path.join(folder, "clone");
  execFileSync("git", ["clone", "--quiet", "--branch", target, repository, clone], { stdio: "ignore" });
  try {
    execFileSync("npm", ["test"], { cwd: clone, stdio: "pipe", encoding: "utf8" });
    return undefined;
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error);
  }
}

function debrisOf(folder: string, repository: string): string[] {
  const states = path.join(folder, "state", "bosun");
  const inHand = ["checkouts", "temporary", "git", path.join("checks", "work")];
  const files = readdirSync(states).flatMap((workspace) =>
    inHand.flatMap((name) => {
      const place = path.join(states, workspace, name);
      return existsSync(place) ? readdirSync(place).map((entry) => path.join(place, entry)) : [];
    }),
  );
  const locks = readdirSync(path.join(repository, ".git"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".lock"))
    .map((name) => path.join(repository, ".git", name));
  const refs = execFileSync("git", [
    "-C",
    repository,
    "for-each-ref",
    "--format=%(refname)",
    "refs/bosun/keep",
  ]);
  return [
    ...files,
    ...locks,
    ...refs
      .toString()
      .split("\n")
      .filter((ref) => ref !== ""),
  ];
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const entries = (record: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(record).sort(([x], [y]) => (x < y ? -1 : 1)));
  return entries(a) === entries(b);
}
