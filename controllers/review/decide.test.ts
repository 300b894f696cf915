import { expect, test } from "vitest";
import type { ProjectStatus, Review, ReviewStatus } from "../../pkg/api/generated.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { type Judgement, STANDARDS } from "../../pkg/session/sessions.ts";
import {
  anAgent,
  aPool,
  aProject,
  approved,
  aReview,
  aWorkspace,
  rejected,
  submitted,
} from "../testing/objects.ts";
import { decide, type Observation, waiting } from "./decide.ts";
import { reviewName } from "./review-name.ts";

const checked = (name: "test" | "lint") =>
  ({ name, run: `npm run ${name}`, result: "Passed", exitCode: 0, seconds: 9, output: "" }) as const;
const passed = (...names: ("test" | "lint")[]): ChecksObservation => ({
  is: "done",
  passed: true,
  results: names.map(checked),
});
const green = passed("test");
const red = (output = "1 failed"): ChecksObservation => ({
  is: "done",
  passed: false,
  results: [checked("lint"), { ...checked("test"), result: "Failed", exitCode: 1, output }],
});
const finding = (kind: Finding["kind"]): Finding => ({
  kind,
  path: "a.ts",
  commit: "aaaaaaaa",
  message: "Found.",
});
const standards = STANDARDS.map((name) => ({ name, met: true, evidence: "Seen." }));
const criteria = [{ id: "AC-1", met: true, evidence: "Seen." }];
const settledAs = (verdict: "Approved" | "ChangesRequested", more: ReviewStatus = {}): Review =>
  aReview({
    state: "Settled",
    verdict,
    reviewer: "agent-9",
    criteria,
    standards,
    feedback: "Mend it.",
    ...more,
  });
const reviewClaim = (agent: string) => ({ agent, agentUID: `uid-of-${agent}`, number: 1, session: "s" });
const judgement: Judgement = { verdict: "Approved", criteria, standards, findings: [], feedback: "" };

/** How an approval can fail to show what it has to. */
const notShown: Readonly<Record<string, <T>(entry: T) => readonly T[]>> = {
  "that leaves out": () => [],
  "that denies": (entry) => [{ ...entry, met: false }],
  "without evidence for": (entry) => [{ ...entry, evidence: " " }],
};

const rows: readonly {
  name: string;
  status?: ProjectStatus;
  seen?: Partial<Observation>;
  want: object;
}[] = [
  {
    name: "nothing is decided while checks run",
    seen: { checks: { is: "running" } },
    want: { do: "nothing" },
  },
  { name: "what is handed over gets a Review", want: { do: "createReview" } },
  { name: "a decided submission is left alone", status: { verdict: approved() }, want: { do: "nothing" } },
  {
    name: "a pending Review waits",
    seen: { review: aReview({ state: "Pending" }), reviewerLives: false },
    want: { do: "nothing" },
  },
  {
    name: "a Review that was cancelled is opened again, should its commit be the newest once more",
    seen: { review: aReview({ state: "Cancelled" }) },
    want: { do: "reopen", timedOut: false },
  },
  {
    name: "one whose making was cut off is opened",
    seen: { review: aReview() },
    want: { do: "reopen", timedOut: false },
  },
  {
    name: "a judgement settles the Review",
    seen: { review: aReview({ state: "Reviewing" }), judgement },
    want: { do: "settle", judgement },
  },
  {
    name: "an approval with everything shown approves",
    seen: { review: settledAs("Approved") },
    want: { do: "decide", result: "Approved", by: "agent-9" },
  },
  {
    name: "an approval by the author does not count",
    seen: { review: settledAs("Approved", { reviewer: "agent-1" }) },
    want: { do: "decide", result: "ChangesRequested" },
  },
  {
    name: "an approval by the author does not count, should the Review name its claim alone",
    seen: {
      review: settledAs("Approved", {
        reviewer: undefined,
        claim: reviewClaim("agent-1"),
      }),
    },
    want: { do: "decide", result: "ChangesRequested", by: "agent-1" },
  },
  {
    name: "an approval does not count while the checks are red, and what failed is told, not what passed",
    seen: { review: settledAs("Approved"), checks: red() },
    want: {
      do: "decide",
      result: "ChangesRequested",
      feedback: expect.toSatisfy(
        (text: string) => text.endsWith("test (`npm run test`): Failed\n1 failed") && !text.includes("lint"),
      ),
    },
  },
  {
    name: "of a check's long output its end is told, where the failure stands",
    seen: { review: settledAs("Approved"), checks: red(`${"first ".repeat(1000)}it broke`) },
    want: {
      feedback: expect.toSatisfy((text: string) => text.endsWith("it broke") && text.length < 2500),
    },
  },
  ...[passed(), passed("lint")].map((checks) => ({
    name: `an approval does not count without a test command, after ${checks.is === "done" ? checks.results.length : 0} other checks`,
    seen: { review: settledAs("Approved"), checks },
    want: { do: "decide", result: "ChangesRequested" },
  })),
  {
    name: "an approval counts without a test command where checks are waived",
    seen: {
      review: settledAs("Approved"),
      checks: passed(),
      workspace: aWorkspace({ checks: "None" }),
    },
    want: { do: "decide", result: "Approved" },
  },
  ...["AC-1", ...STANDARDS].flatMap((which) =>
    Object.entries(notShown).map(([how, spoil]) => ({
      name: `an approval ${how} ${which} does not count`,
      seen: {
        review: settledAs("Approved", {
          criteria: criteria.flatMap((entry) => (entry.id === which ? spoil(entry) : entry)),
          standards: standards.flatMap((entry) => (entry.name === which ? spoil(entry) : entry)),
        }),
      },
      want: { do: "decide", result: "ChangesRequested", feedback: expect.stringContaining(which) },
    })),
  ),
  {
    name: "an approval that shows another criterion than the one it denies does not count",
    seen: {
      review: {
        ...settledAs("Approved", { criteria: [...criteria, { id: "AC-2", met: false, evidence: "Seen." }] }),
        spec: {
          ...aReview().spec,
          criteria: [
            { id: "AC-1", text: "It retries." },
            { id: "AC-2", text: "It gives up." },
          ],
        },
      },
    },
    want: { do: "decide", result: "ChangesRequested", feedback: expect.stringContaining("AC-2") },
  },
  {
    name: "a rejection asks for changes",
    seen: { review: settledAs("ChangesRequested") },
    want: { do: "decide", result: "ChangesRequested", feedback: "Mend it.", escalate: undefined },
  },
  {
    name: "the third rejection asks a person",
    status: { reviewCycles: 2 },
    seen: { review: settledAs("ChangesRequested") },
    want: { do: "decide", result: "ChangesRequested", escalate: "ReviewDeadlock" },
  },
  {
    name: "a person's Rework allows one more cycle",
    status: { reviewCycles: 3, extraCycles: 2 },
    seen: { review: settledAs("ChangesRequested") },
    want: { do: "decide", escalate: undefined },
  },
  {
    name: "a person's Approve holds for that commit",
    status: {
      resolutions: [{ escalation: "e", reason: "ReviewDeadlock", action: "Approve", commit: "aaaaaaaa" }],
    },
    want: { do: "decide", result: "Approved", by: "person" },
  },
  {
    name: "a person's Approve of another commit does not",
    status: {
      resolutions: [{ escalation: "e", reason: "ReviewDeadlock", action: "Approve", commit: "bbbbbbbb" }],
    },
    want: { do: "createReview" },
  },
  {
    name: "a secret asks a person",
    seen: { findings: [finding("Secret")] },
    want: { do: "escalate", reason: "SecretFound" },
  },
  {
    name: "a person's Rework sends a secret back",
    status: {
      resolutions: [{ escalation: "e", reason: "SecretFound", action: "Rework", commit: "aaaaaaaa" }],
    },
    seen: { findings: [finding("Secret")] },
    want: {
      do: "decide",
      result: "ChangesRequested",
      by: "person",
      feedback: expect.stringContaining("- a.ts (aaaaaaaa): Found."),
    },
  },
  {
    name: "a person's Rework of another commit does not",
    status: {
      resolutions: [{ escalation: "e", reason: "SecretFound", action: "Rework", commit: "bbbbbbbb" }],
    },
    seen: { findings: [finding("Secret")] },
    want: { do: "escalate", reason: "SecretFound" },
  },
  {
    name: "a protected path is reviewed: the merge queue asks a person",
    seen: { findings: [finding("ProtectedPath")] },
    want: { do: "createReview" },
  },
  {
    name: "a path that is never merged is sent back without a reviewer",
    seen: { findings: [finding("ForbiddenPath")] },
    want: { do: "decide", result: "ChangesRequested", by: "bosun" },
  },
  {
    name: "a review whose agent is gone is opened again",
    seen: { review: aReview({ state: "Reviewing" }), reviewerLives: false },
    want: { do: "reopen", timedOut: false },
  },
  {
    name: "a review past its time is given to another session",
    seen: { review: aReview({ state: "Reviewing" }), liveSeconds: 7200 },
    want: { do: "reopen", timedOut: true },
  },
  {
    name: "the second review past its time asks a person",
    seen: { review: aReview({ state: "Reviewing", timeouts: 1 }), liveSeconds: 7200 },
    want: { do: "escalate", reason: "ReviewTimedOut" },
  },
  {
    name: "a review that two sessions gave back asks a person",
    seen: { review: aReview({ state: "Pending", timeouts: 2 }) },
    want: { do: "escalate", reason: "ReviewTimedOut" },
  },
];

const submission = submitted();
const observation = (more: Partial<Observation>): Observation => ({
  workspace: aWorkspace(),
  submission,
  review: undefined,
  checks: green,
  findings: [],
  reviewers: [anAgent()],
  pools: [],
  judgement: undefined,
  liveSeconds: 0,
  reviewerLives: true,
  ...more,
});

for (const { name, status = {}, seen = {}, want } of rows)
  test(name, () => {
    expect(decide(aProject({ submission, ...status }), observation(seen)).step).toMatchObject(want);
  });

test("whatever is fed back fits the field that it goes into", () => {
  const secrets = observation({ findings: Array(1000).fill(finding("Secret")) });
  expect(decide(aProject({ submission }), secrets).step).toMatchObject({
    message: expect.toSatisfy((text: string) => text.length === 4000),
  });
  const review = settledAs("ChangesRequested", { feedback: "Mend it. ".repeat(9000) });
  expect(decide(aProject({ submission }), observation({ review })).step).toMatchObject({
    feedback: expect.toSatisfy((text: string) => text.length === 16_384),
  });
});

test("the commit is looked at unless a review of it is under way, within its limits, and nobody decides else", () => {
  const project = aProject({ submission });
  const name = reviewName(project);
  const states = ["Pending", "Reviewing", "Cancelled", undefined] as const;
  const approves = {
    escalation: "e",
    reason: "ReviewDeadlock",
    action: "Approve",
    commit: "aaaaaaaa",
  } as const;
  let waits = 0;
  for (const state of states)
    for (const timeouts of [undefined, 1, 2])
      for (const liveSeconds of [0, 7199, 7200])
        for (const reviewerLives of [true, false])
          for (const judged of [undefined, judgement])
            for (const verdict of [undefined, "Approved" as const])
              for (const resolutions of [[], [approves]])
                for (const known of [name, "retry-another", undefined]) {
                  const status = { ...(state === undefined ? {} : { state }), verdict, timeouts };
                  const review = aReview(status as ReviewStatus);
                  review.metadata.name = name;
                  const seen = observation({ review, liveSeconds, reviewerLives, judgement: judged });
                  const asked = aProject({ submission, resolutions, ...(known && { review: known }) });
                  const plan = decide(asked, seen);
                  const isIdle = plan.step.do === "nothing" && known === name;
                  const want = isIdle ? { ...plan, checksPassed: undefined } : undefined;
                  expect(waiting(asked, seen), JSON.stringify({ status, liveSeconds, known })).toEqual(want);
                  if (isIdle) waits += 1;
                }
  expect(waits).toBe(12);
  expect(waiting(aProject({ submission, review: name }), observation({}))).toBeUndefined();
});

const conditions: readonly {
  name: string;
  status?: ProjectStatus;
  seen?: Partial<Observation>;
  want: object;
}[] = [
  {
    name: "checks run",
    seen: { checks: { is: "running" } },
    want: { checksPassed: { status: "Unknown", reason: "Running" } },
  },
  {
    name: "there is nothing to check",
    seen: { checks: passed() },
    want: { checksPassed: { status: "True", reason: "NothingToCheck" } },
  },
  {
    name: "all checks passed",
    seen: { checks: passed("lint", "test") },
    want: { checksPassed: { status: "True", reason: "Passed" } },
  },
  {
    name: "one of the checks failed",
    seen: { checks: red() },
    want: { checksPassed: { status: "False", reason: "Failed", message: "On aaaaaaaa: test: Failed." } },
  },
  {
    name: "nobody has it yet",
    seen: { review: aReview({ state: "Pending" }) },
    want: {
      reviewed: { status: "Unknown", reason: "Waiting", message: "aaaaaaaa waits for a reviewer." },
      reviewerAvailable: { status: "True", reason: "Available" },
    },
  },
  {
    name: "an agent reviews it",
    seen: {
      review: aReview({ state: "Reviewing", claim: reviewClaim("agent-9") }),
    },
    want: { reviewed: { status: "Unknown", reason: "Reviewing", message: "agent-9 reviews aaaaaaaa." } },
  },
  {
    name: "it is approved this moment",
    seen: { review: settledAs("Approved") },
    want: { reviewed: { status: "True", reason: "Approved", message: "agent-9 approved aaaaaaaa." } },
  },
  {
    name: "it was approved before",
    status: { verdict: approved() },
    want: { reviewed: { status: "True", reason: "Approved", message: "agent-9 approved aaaaaaaa." } },
  },
  {
    name: "changes are asked for this moment",
    seen: { review: settledAs("ChangesRequested") },
    want: {
      reviewed: {
        status: "False",
        reason: "ChangesRequested",
        message: "agent-9 asked for changes to aaaaaaaa.",
      },
    },
  },
  {
    name: "changes were asked for before, and nobody is there to review the next commit",
    status: { verdict: rejected() },
    seen: { reviewers: [], pools: [aPool("builders", { replicas: 0 })] },
    want: {
      reviewed: {
        status: "False",
        reason: "ChangesRequested",
        message: "agent-9 asked for changes to aaaaaaaa.",
      },
      reviewerAvailable: {
        status: "False",
        reason: "NoReviewer",
        message: expect.stringContaining("Add an AgentPool with role Review."),
      },
    },
  },
  {
    name: "a person is asked",
    seen: { findings: [finding("Secret")] },
    want: {
      reviewed: { status: "False", reason: "SecretFound", message: expect.stringContaining("a.ts") },
    },
  },
  {
    name: "all reviewers are scaled away",
    seen: {
      reviewers: [],
      pools: [aPool("builders", { replicas: 0 }), aPool("readers", { role: "Review", replicas: 0 })],
    },
    want: {
      reviewerAvailable: { reason: "NoReviewer", message: expect.stringContaining("the pool readers up") },
    },
  },
];

for (const { name, status = {}, seen = {}, want } of conditions)
  test(`the conditions say it where ${name}`, () => {
    const plan = decide(aProject({ submission, ...status }), observation(seen));
    expect(plan).toMatchObject(want);
    const types = [plan.checksPassed?.type, plan.reviewed.type, plan.reviewerAvailable?.type];
    expect(types).toEqual(["ChecksPassed", "Reviewed", "ReviewerAvailable"]);
  });
