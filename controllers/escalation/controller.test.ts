import { expect, test } from "vitest";
import type {
  Escalation,
  EscalationReason,
  EscalationSpec,
  Project,
  ProjectStatus,
} from "../../pkg/api/generated.ts";
import { API_VERSION } from "../../pkg/api/names.ts";
import { type Next, settled } from "../../pkg/runtime/controller.ts";
import { aClaim, aProject, approved, condition, rejected, submitted } from "../testing/objects.ts";
import { openWorld, type TestWorld } from "../testing/world.ts";
import { escalationController } from "./controller.ts";

type Action = NonNullable<EscalationSpec["resolution"]>["action"];

const NAME = "retry-question-1";
const asked = (
  reason: EscalationReason,
  action?: Action,
  note?: string,
  status: Escalation["status"] = {},
): Escalation => ({
  apiVersion: API_VERSION,
  kind: "Escalation",
  metadata: { name: NAME, namespace: "default", uid: `uid-of-${NAME}`, generation: 1 },
  spec: {
    ...{ project: "retry", reason, message: "What now?", commit: "aaaaaaaa" },
    ...(action === undefined ? {} : { resolution: { action, ...(note === undefined ? {} : { note }) } }),
  },
  status,
});
/** Waits for the answer. */
const waiting = (status: ProjectStatus = {}): Project => aProject({ escalation: NAME, ...status });

async function look({ deps }: TestWorld): Promise<Next> {
  const key = { namespace: "default", name: NAME };
  return escalationController(deps).reconcile(key, new AbortController().signal);
}
const statusIn = async ({ the }: TestWorld) => (await the("Project", "retry")).status ?? {};
const stateIn = async ({ the }: TestWorld) => (await the("Escalation", NAME)).status?.state;
const escalatedIn = async (world: TestWorld) =>
  (await statusIn(world)).conditions?.find(({ type }) => type === "Escalated");

test("what a person is asked is said once, and the Project says that it waits", async () => {
  const world = await openWorld([asked("Stuck"), waiting()]);
  await look(world);
  await look(world);
  expect(await stateIn(world)).toBe("Open");
  expect(await escalatedIn(world)).toMatchObject({ status: "True", reason: "Stuck" });
  expect(world.said).toEqual(["Warning Stuck"]);
});

test("one that no Project names decides nothing, and goes after five minutes so that its name is free", async () => {
  const world = await openWorld([aProject({ workedSeconds: 100 })]);
  const { client } = world.deps;
  await client.create("Escalation", asked("Stuck", "Continue"));
  await world.clock.advance(100_000);
  expect(await look(world)).toEqual({ after: "ms", ms: 200_000 });
  expect(await stateIn(world)).toBeUndefined();
  expect((await statusIn(world)).workedSeconds).toBe(100);
  await world.clock.advance(200_000);
  expect(await look(world)).toEqual(settled);
  expect(await client.get("Escalation", { namespace: "default", name: NAME })).toBeUndefined();
});

test("an answer moves nothing on before who has the Project has let go of it", async () => {
  const world = await openWorld([
    asked("TimedOut", "Abandon"),
    waiting({ claim: aClaim(), phase: "Working" }),
  ]);
  await look(world);
  expect(await statusIn(world)).toMatchObject({ escalation: NAME, claim: { session: "s1" } });
  expect(await stateIn(world)).toBeUndefined();
  await world.deps.client.patch(
    "Project",
    { namespace: "default", name: "retry" },
    { status: { claim: null } },
    { subresource: "status" },
  );
  await look(world);
  expect((await statusIn(world)).resolutions).toEqual([
    { escalation: NAME, reason: "TimedOut", action: "Abandon", commit: "aaaaaaaa" },
  ]);
  expect(await stateIn(world)).toBe("Resolved");
});

const judged = { submission: submitted(), verdict: rejected(), extraCycles: 1 };
const conflict = {
  reason: "Conflict",
  ...{ head: "aaaaaaaa", run: 1, target: "cccccccc", message: "It conflicts." },
};

test.each<{ reason: EscalationReason; action: Action; before: ProjectStatus; want: ProjectStatus }>([
  { reason: "ReviewDeadlock", action: "Approve", before: judged, want: { ...judged, verdict: undefined } },
  { reason: "ReviewDeadlock", action: "Rework", before: judged, want: { ...judged, extraCycles: 2 } },
  {
    reason: "ProtectedPath",
    action: "Approve",
    before: { ...judged, verdict: approved() },
    want: { ...judged, verdict: approved() },
  },
  { reason: "SecretFound", action: "Rework", before: judged, want: judged },
  {
    reason: "MergeConflict",
    action: "Resolved",
    before: { mergeFailure: conflict, pendingConflicts: 3 },
    want: { mergeFailure: undefined, pendingConflicts: 0 },
  },
  {
    reason: "ReviewTimedOut",
    action: "Resolved",
    before: { mergeFailure: conflict, pendingConflicts: 3 },
    want: { mergeFailure: conflict, pendingConflicts: 3 },
  },
  { reason: "Stuck", action: "Continue", before: { workedSeconds: 100 }, want: { workedSeconds: 0 } },
  { reason: "Stuck", action: "Reassign", before: { workedSeconds: 100 }, want: { workedSeconds: 0 } },
  { reason: "Stuck", action: "Abandon", before: { workedSeconds: 100 }, want: { workedSeconds: 100 } },
])(
  "$action changes of what a Project with $reason is at what it has to, and ends the wait",
  async ({ reason, action, before, want }) => {
    const world = await openWorld([asked(reason, action, "I looked."), waiting(before)]);
    await look(world);
    const after = await statusIn(world);
    const facts = Object.keys(before) as (keyof ProjectStatus)[];
    expect(Object.fromEntries(facts.map((fact) => [fact, after[fact]]))).toEqual(want);
    expect(after.escalation).toBeUndefined();
    expect(after.resolutions).toEqual([
      { escalation: NAME, reason, action, commit: "aaaaaaaa", note: "I looked." },
    ]);
    expect(await escalatedIn(world)).toMatchObject({
      ...{ status: "False", reason: action, message: `A person decided ${action}: I looked.` },
    });
    expect(await stateIn(world)).toBe("Resolved");
    expect(world.said).toEqual([`Normal ${action}`]);
  },
);

test("the last fifty decisions are kept", async () => {
  const resolutions = Array.from({ length: 50 }, (_, at) => ({
    ...{ escalation: `before-${at}`, reason: "Stuck", action: "Continue" as const },
  }));
  const world = await openWorld([asked("Stuck", "Continue"), waiting({ resolutions })]);
  await look(world);
  const kept = (await statusIn(world)).resolutions?.map(({ escalation }) => escalation);
  expect(kept).toHaveLength(50);
  expect([kept?.at(0), kept?.at(-1)]).toEqual(["before-1", NAME]);
});

test("a decision that was taken in before a crash is not taken in again", async () => {
  const taken = { escalation: NAME, reason: "ReviewDeadlock", action: "Rework" as const };
  const world = await openWorld([
    asked("ReviewDeadlock", "Rework"),
    aProject({ resolutions: [taken], extraCycles: 1 }),
  ]);
  await look(world);
  expect(await statusIn(world)).toMatchObject({ resolutions: [taken], extraCycles: 1 });
  expect(await stateIn(world)).toBe("Resolved");
});

test("a Project goes on when what it asked is removed, and no other does", async () => {
  const other = aProject({ number: 2, escalation: "another-question-1" });
  const metadata = { ...other.metadata, name: "other", uid: "uid-of-other" };
  const conditions = [condition("Escalated", "True", "Stuck")];
  const world = await openWorld([{ ...other, metadata }, waiting({ conditions })]);
  await look(world);
  expect((await statusIn(world)).escalation).toBeUndefined();
  expect(await escalatedIn(world)).toMatchObject({ status: "False", reason: "Withdrawn" });
  expect((await world.the("Project", "other")).status?.escalation).toBe("another-question-1");
});

test.each<{ name: string; escalations: Escalation[]; before: ProjectStatus; want: string[] }>([
  { name: "an open question of it", escalations: [asked("Stuck")], before: {}, want: [NAME] },
  {
    name: "a question that is removed, which it names still",
    escalations: [],
    before: { escalation: NAME },
    want: [NAME],
  },
  {
    name: "none that is answered",
    escalations: [asked("Stuck", "Continue", undefined, { state: "Resolved" })],
    before: {},
    want: [],
  },
])("a Project that changes has looked at: $name", async ({ escalations, before, want }) => {
  const world = await openWorld([...escalations, aProject(before)]);
  const woken = await world.wokenBy(escalationController, (client) =>
    client.patch(
      "Project",
      { namespace: "default", name: "retry" },
      { status: { extraCycles: 2 } },
      { subresource: "status" },
    ),
  );
  expect(woken).toEqual(want);
});
