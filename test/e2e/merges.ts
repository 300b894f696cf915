/** What the target's history says of its merges, and whether it holds against objects and commits. */
import { execFileSync } from "node:child_process";
import type { Objects } from "../../cmd/bosun/view/objects.ts";

export interface Merge {
  commit: string;
  parents: readonly string[];
  project: string;
  number: number;
  review: string;
  agent: string;
  reviewer: string;
  head: string;
}

const trailers = ["Bosun-Project", "Bosun-Review", "Bosun-Agent", "Bosun-Reviewer", "Bosun-Head"];

/** The commits that `target` got beyond `base`, by first parents, oldest first. */
export function mergesOn(repository: string, target: string, base: string): Merge[] {
  const fields = trailers.map((key) => `%(trailers:key=${key},valueonly,separator=%x2C)`);
  const format = ["%H", "%P", ...fields].join("%x09");
  const args = ["log", "--first-parent", "--reverse", `--format=${format}`, `${base}..${target}`];
  const out = execFileSync("git", ["-C", repository, ...args], { encoding: "utf8" });
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [commit = "", parents = "", project = "", review = "", agent = "", reviewer = "", head = ""] =
        line.split("\t");
      const [, name = "", number = ""] = /^(\S+) \((\d+)\)$/.exec(project) ?? [];
      return {
        commit,
        parents: parents.split(" "),
        ...{ project: name, number: Number(number), review, agent, reviewer, head },
      };
    });
}

/** Whatever is wrong with `merges`, a sentence each: each must lead to its project, its review and both agents. */
export function untraceable(merges: readonly Merge[], { projects, reviews }: Objects): string[] {
  const wrong: string[] = [];
  for (const merge of merges) {
    const say = (what: string): void => void wrong.push(`Merge ${merge.commit.slice(0, 9)} ${what}.`);
    const project = projects.find(({ metadata }) => metadata.name === merge.project);
    const review = reviews.find(({ metadata }) => metadata.name === merge.review);
    if (merge.parents.length !== 2) say(`has ${merge.parents.length} parents`);
    if (merge.parents[1] !== merge.head) say(`says head ${merge.head}, and its second parent is another`);
    if (project?.status?.mergeCommit !== merge.commit)
      say(`is not what project ${merge.project} was merged as`);
    if (project?.status?.number !== merge.number) say(`has the number ${merge.number}`);
    if (review?.spec.project !== merge.project) say(`names the review ${merge.review}`);
    if (review?.spec.headCommit !== merge.head)
      say(`brings in ${merge.head}, which its review did not judge`);
    if (review?.status?.verdict !== "Approved") say(`has a review that says ${review?.status?.verdict}`);
    if (review?.spec.author !== merge.agent) say(`names the agent ${merge.agent}`);
    if (review?.status?.reviewer !== merge.reviewer) say(`names the reviewer ${merge.reviewer}`);
    if (merge.agent === merge.reviewer) say("was reviewed by its author");
    if (merges.filter((other) => other.project === merge.project).length > 1)
      say(`is not the only one of project ${merge.project}`);
  }
  return wrong;
}
