import { expect, test } from "vitest";
import type { Agent, AgentStatus, Project, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { WORK_FINALIZER } from "../../pkg/api/names.ts";
import type { Repository, Seen } from "../../pkg/git/repository.ts";
import { TerminalError } from "../../pkg/runtime/errors.ts";
import type { Outcome } from "../../pkg/session/sessions.ts";
import {
  aClaim,
  anAgent,
  aProject,
  approved,
  aReview,
  aWorkspace,
  leaving,
  NOW,
  rejected,
  submitted,
} from "../testing/objects.ts";
import { openWorld, type Parts, type TestWorld } from "../testing/world.ts";
import { act } from "./act.ts";
import { observe } from "./observe.ts";
import type { Action } from "./plan.ts";

const KEY = { namespace: "default", name: "agent-1" };
const claim = aClaim({ branch: "agent-1/project-1" });
const finished: Outcome & { kind: "Finished" } = {
  kind: "Finished",
  summary: "It retries.",
  evidence: [{ criterion: "AC-1", evidence: "upload.test.ts" }],
};
const session = { id: "s1", run: 1, claim: 1, liveSeconds: 100 };

/** What a checkout holds, and what comes of it. */
interface Checkout {
  git?: Partial<Repository>;
  liveSeconds?: number;
}

/** A world in which the session of the agent's work is over. */
function partsOf({ git = {}, liveSeconds = 160.7 }: Checkout = {}): Parts {
  const report = { run: 1, turns: 3, liveSeconds, lastActivityMs: NOW, heartbeatMs: NOW, tasksDone: ["T-1"] };
  return {
    latch: { engaged: async () => false },
    money: { usageLimits: async () => [], dismiss: async () => undefined },
    sessions: {
      find: async () => ({ is: "absent", report: { ...report, busy: false } }),
      spareId: () => undefined,
      expect: () => undefined,
    },
    repository: {
      claimNumber: async () => 0,
      target: async () => ({ is: "present", value: "main-2" }),
      saveWork: async () => ({ is: "present", value: "cccccccc" }),
      collect: async () => "cccccccc",
      release: async () => "removed",
      ...git,
    },
  };
}

type Asked = Action["do"];

/** Has the agent do so with what it has in hand. */
async function does(asked: Asked, { deps, the }: TestWorld): Promise<void> {
  const agent = await the("Agent", KEY.name);
  const seen = await observe(agent, deps);
  const { work } = seen;
  const target = asked === "claim" ? (await deps.client.list("Project")).items[0] : undefined;
  await act({ do: asked, work, target, outcome: finished } as unknown as Action, agent, seen, deps);
}

/** Lets sessions spend until they are dismissed. */
const spending = (granted: Set<string>): Parts["money"] => ({
  usageLimits: async () => [],
  dismiss: async (id) => void granted.delete(id),
});

const openProject = (status: ProjectStatus, agent = anAgent({ session }), checkout: Checkout = {}) =>
  openWorld([aWorkspace(), agent, aProject({ claimNumber: 1, ...status })], partsOf(checkout));
const openReview = (agent: Agent, review: Review, project: Project) =>
  openWorld([aWorkspace(), agent, review, project], partsOf());
const projectIn = async ({ the }: TestWorld) => (await the("Project", "retry")).status ?? {};

const conflict = {
  ...{ head: "aaaaaaaa", run: 1, reason: "Conflict", message: "Merge main-1 into it.", target: "main-1" },
};
const note = (action: "Rework" | "Continue", text?: string) => ({
  ...{ escalation: "retry-stuck", reason: "Stuck" as const, action },
  ...(text === undefined ? {} : { note: text }),
});

test.each<{ name: string; status: ProjectStatus; want: object }>([
  {
    name: "for the first time: run 1, on a branch of its own, with nothing asked for",
    status: { claimNumber: 0, number: 7 },
    want: {
      number: 1,
      run: 1,
      branch: "agent-1/project-7",
      criteria: [],
      from: undefined,
      message: undefined,
    },
  },
  {
    name: "after another was lost: from what that one had kept",
    status: { claimNumber: 3, head: "dddddddd" },
    want: { number: 4, run: 1, from: "dddddddd" },
  },
  {
    name: "that a review sent back: the next run, opened with its feedback",
    status: { submission: submitted(), verdict: rejected(), head: "aaaaaaaa" },
    want: { run: 2, from: "aaaaaaaa", message: "Mend it." },
  },
  {
    name: "that was approved and conflicts: the next run, opened with the conflict",
    status: {
      submission: submitted(),
      verdict: { ...approved(), feedback: "Well done." },
      mergeFailure: conflict,
    },
    want: { run: 2, message: "Merge main-1 into it." },
  },
  {
    name: "that a person has decided on: opened with the person's note too",
    status: { submission: submitted(), verdict: rejected(), resolutions: [note("Rework", "Use a queue.")] },
    want: { run: 2, message: "Mend it.\n\nA person decided Rework: Use a queue." },
  },
  {
    name: "that a person has decided on without a word: with nothing of that",
    status: { resolutions: [note("Continue")] },
    want: { run: 1, message: undefined },
  },
])("an agent claims a Project $name", async ({ status, want }) => {
  const world = await openProject({ claimNumber: 0, ...status }, anAgent());
  await does("claim", world);
  const { claim: made } = await projectIn(world);
  expect({ from: undefined, message: undefined, ...made }).toMatchObject({
    ...{ agent: "agent-1", agentUID: "uid-of-agent-1", time: "2026-01-05T12:00:00Z" },
    ...want,
  });
});

test("a claim's number is never given twice, though a control plane was lost that had given it", async () => {
  const git = { claimNumber: async () => 8 };
  const world = await openProject({ claimNumber: 2 }, anAgent(), { git });
  await does("claim", world);
  expect(await projectIn(world)).toMatchObject({ claimNumber: 9, claim: { number: 9 } });
});

test("what is handed over is judged against the target as it is now", async () => {
  const world = await openProject({ claim, base: "main-1" });
  await does("submit", world);
  expect(await projectIn(world)).toMatchObject({
    ...{ base: "main-2", head: "cccccccc", branch: "agent-1/project-1", tasksDone: ["T-1"] },
    submission: {
      ...{ head: "cccccccc", run: 1, claim: 1, agent: "agent-1" },
      summary: "It retries.\nAC-1: upload.test.ts",
    },
  });
});

const unread = new TerminalError("CheckoutDamaged", "The checkout can't be read.");
const fails = async (): Promise<never> => {
  throw unread;
};

test.each<{ name: string; seen: Seen<never>; isDoneAgain: boolean }>([
  { name: "is lost opens the next run, which is told so", seen: { is: "absent" }, isDoneAgain: true },
  {
    name: "is damaged opens the next run too, in another",
    seen: { is: "unknown", why: "no HEAD", isDamaged: true },
    isDoneAgain: true,
  },
  { name: "can't be seen stays", seen: { is: "unknown", why: "no rights" }, isDoneAgain: false },
])("what was handed over in a checkout that $name", async ({ seen, isDoneAgain }) => {
  const git: Partial<Repository> = { collect: fails, checkoutState: async () => seen };
  const world = await openProject({ claim }, undefined, { git });
  const error = await does("submit", world).catch((thrown: unknown) => thrown);
  expect(error).toBe(isDoneAgain ? undefined : unread);
  const { claim: after, submission } = await projectIn(world);
  expect(after?.run).toBe(isDoneAgain ? 2 : 1);
  expect(after?.message?.startsWith("Your checkout was lost")).toBe(isDoneAgain ? true : undefined);
  expect(submission).toBeUndefined();
});

test.each([
  { name: "is not done a third time", again: { run: 2, lostRun: 1 }, isDoneAgain: false },
  {
    name: "is done again where a run between them was not lost",
    again: { run: 3, lostRun: 1 },
    isDoneAgain: true,
  },
])(
  "what was handed over in a checkout that is damaged once more $name, in whatever words it was asked for",
  async ({ again, isDoneAgain }) => {
    const damaged: Seen<never> = { is: "unknown", why: "no HEAD", isDamaged: true };
    const git: Partial<Repository> = { collect: fails, checkoutState: async () => damaged };
    const held = { ...claim, ...again, message: "An earlier version's words." };
    const world = await openProject({ claim: held }, undefined, { git });
    const error = await does("submit", world).catch((thrown: unknown) => thrown);
    expect(error).toBe(isDoneAgain ? undefined : unread);
    const { claim: after } = await projectIn(world);
    expect(after).toMatchObject(isDoneAgain ? { run: again.run + 1, lostRun: again.run } : held);
  },
);

/** A Project that is to be let go, since a person skips it. */
const skipped = (status: ProjectStatus = {}): Project =>
  aProject({ claimNumber: 1, claim, ...status }, { skip: true });

test.each<{ name: string; before?: ProjectStatus; checkout?: Checkout; want: object }>([
  {
    name: "with all that was done, and how long all its sessions worked",
    before: { workedSeconds: 1000, head: "aaaaaaaa" },
    want: { workedSeconds: 1160, head: "cccccccc", branch: "agent-1/project-1" },
  },
  {
    name: "as it was where there is no checkout any more",
    before: { head: "aaaaaaaa" },
    checkout: { git: { saveWork: async () => ({ is: "absent" }) } },
    want: { head: "aaaaaaaa" },
  },
  {
    name: "as it was where a newer claim has its branch",
    before: { head: "aaaaaaaa" },
    checkout: { git: { collect: fails } },
    want: { head: "aaaaaaaa" },
  },
])("a Project is let go $name", async ({ before, checkout, want }) => {
  const objects = [aWorkspace(), anAgent({ session }), skipped(before)];
  const world = await openWorld(objects, partsOf(checkout));
  await does("release", world);
  const after = await projectIn(world);
  expect(after.claim).toBeUndefined();
  expect(after).toMatchObject({ claimNumber: 1, ...want });
  expect(after.conditions).toMatchObject([{ type: "Claimed", status: "False", reason: "Released" }]);
});

test("a checkout stays until it is recorded what it held; one that holds more is put aside, and people are told", async () => {
  const recorded: (string | undefined)[] = [];
  const release = async (): Promise<"quarantined"> => {
    const { claim: held, head } = await projectIn(world);
    recorded.push(held?.session, head);
    return "quarantined";
  };
  const world: TestWorld = await openWorld(
    [aWorkspace(), anAgent({ session }), skipped()],
    partsOf({ git: { release } }),
  );
  await does("release", world);
  expect(recorded).toEqual([undefined, "cccccccc"]);
  expect(world.said).toEqual(["Warning CheckoutPutAside"]);
});

test.each<{ name: string; meanwhile: ProjectStatus; skip?: boolean; want: string | undefined }>([
  { name: "what others wrote meanwhile stays", meanwhile: { extraCycles: 2 }, want: undefined },
  { name: "one that is wanted again stays claimed", meanwhile: {}, skip: false, want: "s1" },
  { name: "the claim of another stays", meanwhile: { claim: { ...claim, session: "s2" } }, want: "s2" },
])("a Project is written to while its work is saved: $name", async ({ meanwhile, skip = true, want }) => {
  const saveWork = async () => {
    const { client } = world.deps;
    const of = { namespace: "default", name: "retry" };
    await client.patch("Project", of, { status: meanwhile }, { subresource: "status" });
    await client.patch("Project", of, { spec: { skip } });
    return { is: "present" as const, value: "cccccccc" };
  };
  const world: TestWorld = await openWorld(
    [aWorkspace(), anAgent({ session }), skipped()],
    partsOf({ git: { saveWork } }),
  );
  const error = await does("release", world).catch((thrown: unknown) => thrown);
  expect(error).toEqual(want === undefined ? undefined : expect.objectContaining({ reason: "Conflict" }));
  const after = await projectIn(world);
  expect(after).toMatchObject(meanwhile);
  expect(after.claim?.session).toBe(want);
});

const reviewer = { ...anAgent({ session }), spec: { ...anAgent().spec, role: "Review" as const } };
const reviewed = aReview({ state: "Reviewing", claimNumber: 1, claim, timeouts: 1 });

test.each<{ asked: Asked; agent: Agent; objects: readonly KubeObject[] }>([
  { asked: "release", agent: anAgent({ session }), objects: [skipped()] },
  { asked: "release", agent: reviewer, objects: [reviewed, aProject()] },
  { asked: "giveBack", agent: reviewer, objects: [reviewed, aProject()] },
  { asked: "forget", agent: anAgent({ session, project: "retry" }), objects: [aProject()] },
])("a session spends no more once its work is let go: $asked", async ({ asked, agent, objects }) => {
  const granted = new Set(["s1", "of-somebody-else"]);
  const world = await openWorld([aWorkspace(), agent, ...objects], {
    ...partsOf(),
    money: spending(granted),
  });
  await does(asked, world);
  expect([...granted]).toEqual(["of-somebody-else"]);
});

test.each<{ name: string; status: AgentStatus; want: string }>([
  { name: "work", status: { project: "retry" }, want: "execute retry" },
  { name: "a review", status: { project: "retry", review: "retry-1" }, want: "review retry-1" },
])("of $name that nobody claims any more the checkout goes: $want", async ({ status, want }) => {
  const checkouts = new Set(["execute retry", "review retry-1"]);
  const release: Repository["release"] = async ({ project }, purpose) => {
    checkouts.delete(`${purpose} ${project}`);
    return "removed";
  };
  const world = await openWorld(
    [aWorkspace(), anAgent({ session, ...status })],
    partsOf({ git: { release } }),
  );
  await does("forget", world);
  expect(checkouts.size).toBe(1);
  expect(checkouts).not.toContain(want);
});

test("an agent that leaves takes its own finalizer off, and no other's", async () => {
  const agent = leaving(anAgent());
  const finalizers = [WORK_FINALIZER, "example.com/backup"];
  const world = await openWorld([{ ...agent, metadata: { ...agent.metadata, finalizers } }], partsOf());
  await does("finalize", world);
  expect((await world.the("Agent", "agent-1")).metadata.finalizers).toEqual(["example.com/backup"]);
});

test.each<{ name: string; asked: Asked; agent: Agent; want: object }>([
  {
    name: "that leaves makes room for another",
    asked: "release",
    agent: leaving(reviewer),
    want: { state: "Pending", timeouts: 1 },
  },
  {
    name: "whose review nobody wants any more ends it",
    asked: "release",
    agent: reviewer,
    want: { state: "Cancelled", timeouts: 1 },
  },
  {
    name: "that gets nowhere gives it back, which is counted",
    asked: "giveBack",
    agent: reviewer,
    want: { state: "Pending", timeouts: 2 },
  },
])("a reviewer $name", async ({ asked, agent, want }) => {
  const world = await openReview(agent, reviewed, aProject({ submission: submitted() }));
  await does(asked, world);
  const { status } = await world.the("Review", "retry-1");
  expect(status).toMatchObject({ claimNumber: 1, ...want });
  expect(status?.claim).toBeUndefined();
});
