import { expect, test } from "vitest";
import type {
  Project,
  ProjectPhase,
  ProjectResolutionAction,
  ProjectStatus,
  Workspace,
} from "../../pkg/api/generated.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { aProject, approved, aWorkspace, leaving, rejected, submitted } from "../testing/objects.ts";
import { decide, type Observation, queue } from "./decide.ts";

const green = (name: "test" | "lint") =>
  ({
    name,
    run: `npm run ${name}`,
    result: "Passed",
    exitCode: 0,
    seconds: 9,
    output: `${name} is fine`,
  }) as const;
const passed = (...names: ("test" | "lint")[]): ChecksObservation => ({
  is: "done",
  passed: true,
  results: names.map(green),
});
const red = (output = "1 failed"): ChecksObservation => ({
  is: "done",
  passed: false,
  results: [green("lint"), { ...green("test"), result: "Failed", exitCode: 1, output }],
});
const found = (kind: Finding["kind"]): Finding => ({
  kind,
  path: ".github/a",
  commit: "aaaaaaaa",
  message: "Found.",
});
const clean = { is: "clean", tree: "t", commit: "mmmmmmmm", rebased: false } as const;
const decided = (action: ProjectResolutionAction, commit = "aaaaaaaa"): ProjectStatus => ({
  resolutions: [{ escalation: "e", reason: "ProtectedPath", action, commit }],
});

const rows: readonly {
  name: string;
  status?: ProjectStatus;
  seen?: Partial<Observation>;
  workspace?: Workspace;
  want: object;
}[] = [
  { name: "what passed everything is merged", want: { do: "merge", to: "mmmmmmmm" } },
  {
    name: "what nobody approved waits",
    status: { verdict: undefined },
    want: { do: "wait", reason: "NotApproved" },
  },
  {
    name: "what its own author approved waits",
    status: { verdict: approved("aaaaaaaa", "agent-1") },
    want: { do: "wait", reason: "NotApproved" },
  },
  {
    name: "an approval of another commit does not count",
    status: { verdict: approved("bbbbbbbb") },
    want: { do: "wait", reason: "NotApproved" },
  },
  { name: "a rejection is not merged", status: { verdict: rejected() }, want: { do: "wait" } },
  {
    name: "checks are waited for",
    seen: { checks: { is: "running" } },
    want: { do: "wait", reason: "Checking" },
  },
  {
    name: "red checks send it back with what failed, and nothing of what passed",
    seen: { checks: red() },
    want: {
      do: "refuse",
      reason: "ChecksFailed",
      message: expect.toSatisfy(
        (text: string) => text.endsWith("test (`npm run test`): Failed\n1 failed") && !text.includes("lint"),
      ),
    },
  },
  {
    name: "of a check's long output its end is told, where the failure stands",
    seen: { checks: red(`${"first ".repeat(1000)}it broke`) },
    want: {
      message: expect.toSatisfy((text: string) => text.endsWith("it broke") && text.length < 2500),
    },
  },
  {
    name: "green checks without a test are not enough",
    seen: { checks: passed("lint") },
    want: { do: "wait", reason: "ChecksNotConfigured" },
  },
  {
    name: "other green checks beside the test are no reason to wait",
    seen: { checks: passed("lint", "test") },
    want: { do: "merge" },
  },
  {
    name: "where checks are waived no test is waited for",
    seen: { checks: passed() },
    workspace: aWorkspace({ checks: "None" }),
    want: { do: "merge" },
  },
  {
    name: "what is pointed out to the reviewer alone keeps nothing from the target",
    seen: { findings: [found("WeakenedTest"), found("CheckConfiguration")] },
    want: { do: "merge" },
  },
  {
    name: "a conflict sends it back with the files",
    seen: { plan: { is: "conflict", files: ["a.ts"] }, checks: undefined },
    want: { do: "refuse", reason: "Conflict", files: ["a.ts"], escalate: undefined },
  },
  {
    name: "the third refusal asks a person",
    status: { pendingConflicts: 2 },
    seen: { plan: { is: "conflict", files: ["a.ts"] }, checks: undefined },
    want: { do: "refuse", escalate: "MergeConflict" },
  },
  {
    name: "a rebase with another patch is reviewed again",
    seen: { plan: { is: "changed", head: "cccccccc" }, checks: undefined },
    want: { do: "reviewAgain", head: "cccccccc" },
  },
  {
    name: "a secret asks a person, whoever approved",
    seen: { findings: [found("Secret")] },
    want: { do: "escalate", reason: "SecretFound" },
  },
  {
    name: "a path that is never merged is refused, whoever approved",
    status: decided("Approve"),
    seen: { findings: [found("ForbiddenPath")] },
    want: { do: "refuse", reason: "ForbiddenPath" },
  },
  {
    name: "a protected path asks a person",
    seen: { findings: [found("ProtectedPath")] },
    want: { do: "escalate", reason: "ProtectedPath" },
  },
  {
    name: "a person lets exactly that commit pass a protected path",
    status: decided("Approve"),
    seen: { findings: [found("ProtectedPath")] },
    want: { do: "merge" },
  },
  {
    name: "a person's Approve of another commit lets nothing pass",
    status: decided("Approve", "bbbbbbbb"),
    seen: { findings: [found("ProtectedPath")] },
    want: { do: "escalate", reason: "ProtectedPath" },
  },
  {
    name: "a person's Abandon lets nothing pass, should it be seen before the Project is given up",
    status: decided("Abandon"),
    seen: { findings: [found("ProtectedPath")] },
    want: { do: "escalate", reason: "ProtectedPath" },
  },
  {
    name: "a person's Rework sends the protected path back",
    status: decided("Rework"),
    seen: { findings: [found("ProtectedPath")] },
    want: { do: "refuse", reason: "ProtectedPath", escalate: undefined },
  },
  {
    name: "a person's Rework refuses nothing where no protected path is changed",
    status: decided("Rework"),
    want: { do: "merge" },
  },
];

for (const { name, status = {}, seen = {}, workspace = aWorkspace(), want } of rows)
  test(name, () => {
    const project = aProject({ submission: submitted(), verdict: approved(), ...status });
    const observation = { target: "tttttttt", findings: [], plan: clean, checks: passed("test"), ...seen };
    expect(decide(project, workspace, observation)).toMatchObject(want);
  });

test.each<[string, Partial<Observation>, number]>([
  ["files in conflict", { plan: { is: "conflict", files: Array(1000).fill("a".repeat(99)) } }, 16_384],
  ["paths that are never merged", { findings: Array(1000).fill(found("ForbiddenPath")) }, 4000],
  ["secrets", { findings: Array(1000).fill(found("Secret")) }, 4000],
])("however many %s there are, what is said of them fits the field that it goes into", (_, seen, most) => {
  const project = aProject({ submission: submitted(), verdict: approved() });
  const step = decide(project, aWorkspace(), {
    target: "tttttttt",
    findings: [],
    plan: clean,
    checks: undefined,
    ...seen,
  });
  expect(step).toMatchObject({ message: expect.toSatisfy((text: string) => text.length === most) });
});

test("the queue takes approved Projects, the oldest first", () => {
  const ready = (name: string, creationRevision: string, phase: ProjectPhase = "Approved"): Project => {
    const project = aProject({ submission: submitted(), verdict: approved(), creationRevision, phase });
    return { ...project, metadata: { ...project.metadata, name } };
  };
  const unsaid = ready("not-yet-said-so", "2", "InReview");
  const inReview = aProject({ submission: submitted(), phase: "InReview" });
  const queued = [ready("tenth", "10"), ready("ninth", "9"), leaving(ready("gone", "1")), unsaid, inReview];
  expect(queue(queued, aWorkspace()).map(({ metadata }) => metadata.name)).toEqual(["ninth", "tenth"]);
});

test("in mode Manual only what a person let through at that commit is taken", () => {
  const approvedHead = (head?: string): Project =>
    aProject(
      { submission: submitted("1234567890"), verdict: approved("1234567890"), phase: "Approved" },
      head === undefined ? {} : { approvedHead: head },
    );
  const manual = aWorkspace({ merge: { mode: "Manual" } });
  expect(queue([approvedHead()], manual)).toEqual([]);
  expect(queue([approvedHead("4567890")], manual)).toEqual([]);
  expect(queue([approvedHead("1234567")], manual)).toHaveLength(1);
});
