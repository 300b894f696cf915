/** Whether there was one owner at a time: recomputed from refs, reflogs, merges, ledger and the log, asking nobody. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { WorkspaceFolder } from "../../../cmd/bosun/workspace-folder.ts";
import type { Project, Review } from "../../../pkg/api/generated.ts";
import type { Line } from "../../../pkg/gateway/ledger-lines.ts";
import { accountsOf, discrepancies } from "../accounts.ts";
import { mergesOn } from "../merges.ts";
import { historyOf, statesOf, type Written } from "./history.ts";

/** What stale writers committed bears this in its subject. */
export const zombieMark = "ZOMBIE";
/** The claims' times are in whole seconds, and a request may be on its way. */
const slackMs = 2_000;

interface Claim {
  number: number;
  agent: string;
  session: string;
  timeMs: number;
}

/** Whatever is wrong, a sentence each. Call it when everything has ended. */
export function ownershipFaults(repository: string, workspace: WorkspaceFolder): string[] {
  const history = historyOf(workspace.log);
  const projects = statesOf<Project>(history, "bosun.dev/projects");
  const reviews = statesOf<Review>(history, "bosun.dev/reviews");
  const claims = new Map([...projects].map(([name, states]) => [name, claimsOf(states)]));
  return [
    ...unordered(history),
    ...[...projects].flatMap(([name, states]) => twoOwners(name, states)),
    ...wrongRefs(repository, claims),
    ...wrongMerges(repository, { projects, reviews }),
    ...zombieCommits(repository),
    ...staleRequests(workspace, claims),
    ...discrepancies(accountsOf(workspace)),
  ];
}

function unordered(history: readonly Written[]): string[] {
  const wrong: string[] = [];
  let last: Written | undefined;
  for (const written of history) {
    const before = last;
    last = written;
    if (before === undefined) continue;
    const { epoch, change } = written;
    if (epoch < before.epoch)
      wrong.push(`Revision ${change.revision} is of epoch ${epoch}, behind ${before.epoch}.`);
    if (change.revision <= before.change.revision)
      wrong.push(`Revision ${change.revision} follows ${before.change.revision}.`);
  }
  return wrong;
}

function claimsOf(states: readonly Project[]): readonly Claim[] {
  const claims = new Map<number, Claim>();
  for (const { status } of states) {
    const claim = status?.claim;
    if (claim === undefined || claims.has(claim.number)) continue;
    const { number, agent, session, time } = claim;
    claims.set(number, { number, agent, session, timeMs: Date.parse(time ?? "") });
  }
  return [...claims.values()];
}

function twoOwners(name: string, states: readonly Project[]): string[] {
  const wrong: string[] = [];
  const owners = new Map<number, string>();
  let greatest = 0;
  for (const { status } of states) {
    const { claim, claimNumber = 0, submission } = status ?? {};
    if (claimNumber < greatest)
      wrong.push(`${name}: its claim number went from ${greatest} to ${claimNumber}.`);
    greatest = Math.max(greatest, claimNumber);
    if (claim !== undefined) {
      const owner = `${claim.agent} with session ${claim.session}`;
      const known = owners.get(claim.number) ?? owner;
      owners.set(claim.number, known);
      if (known !== owner) wrong.push(`${name}: claim ${claim.number} is ${known}'s and ${owner}'s.`);
      if (claim.number !== greatest)
        wrong.push(`${name}: claim ${claim.number} came back after ${greatest}.`);
    }
    if (submission?.claim !== undefined && submission.claim > greatest)
      wrong.push(`${name}: claim ${submission.claim} handed in before it was made.`);
  }
  return [...new Set(wrong)];
}

function wrongRefs(repository: string, claims: ReadonlyMap<string, readonly Claim[]>): string[] {
  const wrong: string[] = [];
  for (const [name, made] of claims) {
    const greatest = Math.max(0, ...made.map(({ number }) => number));
    if (greatest === 0) continue;
    const recorded = JSON.parse(git(repository, "cat-file", "blob", `refs/bosun/claims/${name}`)) as {
      number: number;
    };
    if (recorded.number > greatest)
      wrong.push(`${name}: its ref has claim ${recorded.number}, which nobody made.`);
    // From the newest to the oldest, as git tells them.
    const collected = collections(repository).filter(({ project }) => project === name);
    for (const [index, { number, seconds }] of collected.entries()) {
      const before = collected
        .slice(index + 1)
        .find((other) => other.number > number && other.seconds < seconds);
      if (before !== undefined)
        wrong.push(`${name}: a branch was moved for claim ${number} after one for claim ${before.number}.`);
      const next = made.find((other) => other.number > number && other.number <= recorded.number);
      if (next !== undefined && seconds * 1000 > next.timeMs + slackMs)
        wrong.push(`${name}: a branch was moved for claim ${number} after claim ${next.number} was made.`);
    }
  }
  return wrong;
}

/** Each move of an agent's branch, by its reflog. */
function collections(repository: string): { project: string; number: number; seconds: number }[] {
  const branches = git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/agent-*").split("\n");
  return branches
    .filter((branch) => branch !== "")
    .flatMap((branch) =>
      git(repository, "reflog", "show", "--date=unix", "--format=%gd %gs", branch).split("\n"),
    )
    .flatMap((line) => {
      const [, seconds, number, project = ""] =
        /@\{(\d+)\} bosun: collect claim (\d+) of (.+)$/.exec(line) ?? [];
      return seconds === undefined ? [] : [{ project, number: Number(number), seconds: Number(seconds) }];
    });
}

function wrongMerges(
  repository: string,
  objects: {
    projects: ReadonlyMap<string, readonly Project[]>;
    reviews: ReadonlyMap<string, readonly Review[]>;
  },
): string[] {
  const wrong: string[] = [];
  const merges = mergesOn(repository, "refs/bosun/rehearsal/target/main", "main");
  for (const { commit, project, head, review, agent, reviewer } of merges) {
    const say = (what: string): void => void wrong.push(`Merge ${commit.slice(0, 9)} of ${project} ${what}.`);
    const states = objects.projects.get(project) ?? [];
    const handedIn = states.findLast(({ status }) => status?.submission?.head === head)?.status?.submission;
    const announced = states.find(
      ({ status }) => status?.merge?.to === commit || status?.mergeCommit === commit,
    );
    if (handedIn === undefined) say(`brings in ${head.slice(0, 9)}, which nobody handed in`);
    if (handedIn !== undefined && handedIn.claim !== announced?.status?.claimNumber)
      say(`is of claim ${handedIn.claim}, when claim ${announced?.status?.claimNumber} was the newest`);
    if (handedIn !== undefined && handedIn.agent !== agent)
      say(`names ${agent}, and ${handedIn.agent} handed it in`);
    const judged = objects.reviews.get(review)?.at(-1);
    if (judged?.status?.verdict !== "Approved" || judged.spec.headCommit !== head)
      say(`has no approval of ${head.slice(0, 9)}`);
    if (reviewer === agent) say("was reviewed by its author");
    if (merges.filter((other) => other.project === project).length > 1) say("is not the only one");
  }
  return wrong;
}

function zombieCommits(repository: string): string[] {
  const found = git(repository, "log", "--all", "--format=%h %an: %s", `--grep=${zombieMark}`);
  return found === ""
    ? []
    : found.split("\n").map((line) => `A ref holds what a stale agent wrote: ${line}.`);
}

/** Requests that a session made when its Project was another's already. */
function staleRequests(
  { operator }: WorkspaceFolder,
  claims: ReadonlyMap<string, readonly Claim[]>,
): string[] {
  const lines = readFileSync(path.join(operator, "rehearsal-ledger", "ledger.jsonl"), "utf8").split("\n");
  const reserved = lines.slice(0, -1).flatMap((text) => {
    const line = JSON.parse(text) as Line;
    return line.step === "reserved" ? [line] : [];
  });
  return [...claims].flatMap(([name, made]) =>
    made.flatMap(({ number, session }, index) => {
      const next = made[index + 1];
      const late = reserved.filter(
        (line) => line.session === session && line.at > (next?.timeMs ?? Infinity) + slackMs,
      );
      return late.map(
        ({ id }) => `${name}: claim ${number} spent ${id} after claim ${next?.number} was made.`,
      );
    }),
  );
}

function git(repository: string, ...args: string[]): string {
  return execFileSync("git", ["-C", repository, ...args], { encoding: "utf8" }).trimEnd();
}
