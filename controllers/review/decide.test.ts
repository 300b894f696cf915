import { expect, test } from "vitest";
import type { ProjectStatus, Review, ReviewStatus } from "../../pkg/api/generated.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { type Judgement, STANDARDS } from "../../pkg/session/sessions.ts";
import { anAgent, aProject, approved, aReview, aWorkspace, rejected, submitted } from "../testing/objects.ts";
import { decide, type Observation } from "./decide.ts";

const green: ChecksObservation = {
  is: "done",
  passed: true,
  results: [{ name: "test", run: "npm test", result: "Passed", exitCode: 0, seconds: 9, output: "" }],
};
const red: ChecksObservation = {
  is: "done",
  passed: false,
  results: [{ name: "test", run: "npm test", result: "Failed", exitCode: 1, seconds: 9, output: "1 failed" }],
};
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
    seen: { review: aReview({ state: "Pending" }) },
    want: { do: "nothing" },
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
    name: "an approval does not count while the checks are red",
    seen: { review: settledAs("Approved"), checks: red },
    want: { do: "decide", result: "ChangesRequested", feedback: expect.stringContaining("1 failed") },
  },
  {
    name: "an approval does not count without a test command",
    seen: { review: settledAs("Approved"), checks: { is: "done", passed: true, results: [] } },
    want: { do: "decide", result: "ChangesRequested" },
  },
  {
    name: "an approval counts without a test command where checks are waived",
    seen: {
      review: settledAs("Approved"),
      checks: { is: "done", passed: true, results: [] },
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

for (const { name, status = {}, seen = {}, want } of rows)
  test(name, () => {
    const submission = submitted();
    const plan = decide(aProject({ submission, ...status }), {
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
      ...seen,
    });
    expect(plan.step).toMatchObject(want);
  });

test("what was rejected is said with who rejected it", () => {
  const submission = submitted();
  const { reviewed, reviewerAvailable } = decide(aProject({ submission, verdict: rejected() }), {
    workspace: aWorkspace(),
    submission,
    review: undefined,
    checks: green,
    findings: [],
    reviewers: [],
    pools: [],
    judgement: undefined,
    liveSeconds: 0,
    reviewerLives: true,
  });
  expect(reviewed).toMatchObject({
    status: "False",
    reason: "ChangesRequested",
    message: expect.stringContaining("agent-9"),
  });
  expect(reviewerAvailable).toMatchObject({ status: "False", reason: "NoReviewer" });
});
