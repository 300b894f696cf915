import { expect, test } from "vitest";
import type { Project } from "../pkg/api/generated.ts";
import { projectFacts, queueStanding } from "./facts.ts";
import { aProject, approved, condition, leaving, submitted } from "./testing/objects.ts";

const passed = { submission: submitted(), verdict: approved() };
const merge = { from: "t", to: "m", head: "aaaaaaaa" };

test.each<{ name: string; project: Project; concerns: boolean }>([
  {
    name: "one that is approved and says so",
    project: aProject({ ...passed, phase: "Approved" }),
    concerns: true,
  },
  {
    name: "one whose phase does not say yet that it is approved",
    project: aProject({ ...passed, phase: "InReview" }),
    concerns: false,
  },
  {
    name: "one whose merge is announced and shown",
    project: aProject({ ...passed, merge, phase: "Merging" }),
    concerns: true,
  },
  {
    name: "one whose merge is announced and not shown yet",
    project: aProject({ ...passed, merge, phase: "Approved" }),
    concerns: false,
  },
  {
    name: "one that is deleted with its merge announced: it gets no phase any more",
    project: leaving(aProject({ ...passed, merge, phase: "Approved" })),
    concerns: true,
  },
  {
    name: "one in review",
    project: aProject({ submission: submitted(), phase: "InReview" }),
    concerns: false,
  },
])("whether the merge queue looks at $name: $concerns", ({ project, concerns }) => {
  expect(queueStanding(project) !== undefined).toBe(concerns);
});

test("the queue looks again when what is recorded of a Project in it changes", () => {
  const before = aProject({ ...passed, phase: "Approved" });
  const after = aProject({ ...passed, verdict: approved("aaaaaaaa", "agent-8"), phase: "Approved" });
  expect(queueStanding(after)).not.toEqual(queueStanding(before));
});

test("running numbers, estimates and what is said of a Project are no facts; being held back for money is one", () => {
  const facts = (status: Project["status"]) => projectFacts(aProject(status));
  const waits = facts({ conditions: [condition("Affordable", "True")] });
  expect(facts({ conditions: [condition("Affordable", "Unknown", "NoHistory")] })).toEqual(waits);
  expect(facts({ conditions: [condition("Affordable", "False")] })).not.toEqual(waits);
  expect(facts({})).not.toEqual(waits);
  expect(facts({ elapsedSeconds: 5, progressPercent: 3, costUSD: 1, review: "retry-1" })).toEqual(facts({}));
});
