import { expect, test } from "vitest";
import type { Project, ProjectStatus } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import type { MergePlan, Repository, TargetSync } from "../../pkg/git/repository.ts";
import type { ChecksObservation } from "../../pkg/quality/quality.ts";
import { settled } from "../../pkg/runtime/controller.ts";
import { aProject, approved, aWorkspace, submitted } from "../testing/objects.ts";
import { openWorld, type Parts, type TestWorld } from "../testing/world.ts";
import { mergeController } from "./controller.ts";

const QUEUE = { namespace: "default", name: "queue" };
const green: ChecksObservation = {
  is: "done",
  passed: true,
  results: [{ name: "test", run: "npm test", result: "Passed", seconds: 1, output: "" }],
};
const red: ChecksObservation = {
  is: "done",
  passed: false,
  results: [{ name: "test", run: "npm test", result: "Failed", seconds: 1, output: "1 of 3 failed" }],
};

/** Approved at its own head, the older the lower its number. */
function waiting(number: number, more: ProjectStatus = {}): Project {
  const head = String(number).repeat(8);
  const project = aProject({
    ...{ number, creationRevision: String(number), phase: "Approved" },
    ...{ submission: submitted(head), verdict: approved(head) },
    ...more,
  });
  return { ...project, metadata: { ...project.metadata, name: `p-${number}`, uid: `p-${number}` } };
}

/** A repository whose target is `main-1`, into which each head merges as `merge-of-HEAD`. */
class Git implements Partial<Repository> {
  at = "main-1";
  readonly holds = new Set(["main-1"]);
  sync: TargetSync | undefined;
  planned: MergePlan | undefined;

  target = async () => ({ is: "present" as const, value: this.at });
  syncTarget = async () => this.sync ?? { is: "inSync" as const, commit: this.at };
  targetContains = async (commit: string) => this.holds.has(commit);
  swapTarget = async (from: string, to: string) => {
    if (this.at !== from) return false;
    this.at = to;
    this.holds.add(to);
    return true;
  };
  planMerge = async ({ head }: { head: string }): Promise<MergePlan> =>
    this.planned ?? { is: "clean", tree: "tree", commit: `merge-of-${head}`, rebased: false };
  subscribe = () => undefined;
}

/** @param checks - of a commit; running where they are not named */
function partsOf(git: Git, checks: Record<string, ChecksObservation> = {}): Parts {
  return {
    repository: git,
    quality: {
      inspect: async () => [],
      checks: async (commit) => checks[commit] ?? { is: "running" },
      subscribe: () => undefined,
    },
  };
}

const merged = async (world: TestWorld, name: string) =>
  (await world.the("Project", name)).status?.conditions?.find(({ type }) => type === "Merged");

/** Looks until there is nothing more to do at once. */
async function lookOn({ deps }: TestWorld): Promise<void> {
  const queue = mergeController(deps);
  for (let look = 0; look < 10; look += 1) {
    const next = await queue.reconcile(QUEUE, new AbortController().signal);
    if (next.after === "change" || next.ms > 0) return;
  }
  throw new Error("The queue looks again and again without a pause");
}

test.each([
  { name: "was made before a crash", at: "another", holds: "merge-1", wantAt: "another", reason: "Merged" },
  { name: "was not made yet", at: "main-1", holds: "main-1", wantAt: "merge-1", reason: "Merged" },
  { name: "came too late", at: "main-2", holds: "main-2", wantAt: "main-2", reason: "TargetMoved" },
])("an announced merge that $name ends as $reason", async ({ at, holds, wantAt, reason }) => {
  const git = new Git();
  git.at = at;
  git.holds.add(holds);
  const merge = { from: "main-1", to: "merge-1", head: "11111111", time: "2026-01-05T12:00:00Z" };
  const world = await openWorld([aWorkspace(), waiting(1, { merge, phase: "Merging" })], partsOf(git));
  await mergeController(world.deps).reconcile(QUEUE, new AbortController().signal);
  expect(git.at).toBe(wantAt);
  expect(await merged(world, "p-1")).toMatchObject({ reason });
  const { status } = await world.the("Project", "p-1");
  expect(status?.merge).toBeUndefined();
  expect(status?.mergeCommit).toBe(reason === "Merged" ? "merge-1" : undefined);
});

test.each(["Paused", "Stopped"] as const)("nothing is merged in mode %s", async (mode) => {
  const git = new Git();
  const world = await openWorld(
    [aWorkspace({ mode }), waiting(1)],
    partsOf(git, { "merge-of-11111111": green }),
  );
  await lookOn(world);
  expect((await world.the("Project", "p-1")).status?.merge).toBeUndefined();
  expect(git.at).toBe("main-1");
});

test("nobody is merged before the one in front whose checks still run, who waits for anything else is passed by", async () => {
  const git = new Git();
  const checks: Record<string, ChecksObservation> = { "merge-of-22222222": green };
  const world = await openWorld([aWorkspace(), waiting(2), waiting(1)], partsOf(git, checks));
  await lookOn(world);
  expect((await world.the("Project", "p-2")).status?.merge).toBeUndefined();
  checks["merge-of-11111111"] = { is: "done", passed: true, results: [] };
  await lookOn(world);
  expect(await merged(world, "p-1")).toMatchObject({ reason: "ChecksNotConfigured" });
  expect((await world.the("Project", "p-2")).status?.merge).toMatchObject({ to: "merge-of-22222222" });
});

test("checks that end while they are asked for wake the queue, and those of others do not", async () => {
  let ended = (_commit: string): void => {};
  const parts = partsOf(new Git());
  const world = await openWorld([aWorkspace(), waiting(1)], {
    ...parts,
    quality: {
      ...parts.quality,
      async checks(commit) {
        ended("of somebody else");
        ended(commit);
        return { is: "running" };
      },
      subscribe(wake) {
        ended = wake;
      },
    },
  });
  const queue = mergeController(world.deps);
  const woken: string[] = [];
  for (const { subscribe } of queue.signals ?? [])
    subscribe(({ name }) => woken.push(name), new AbortController().signal);
  await queue.reconcile(QUEUE, new AbortController().signal);
  expect(woken).toEqual(["queue"]);
});

test.each<{ name: string; before: number; plan?: MergePlan; want: object; asked: object[] }>([
  {
    name: "a conflict",
    before: 0,
    plan: { is: "conflict", files: ["a.ts"] },
    want: { reason: "Conflict", target: "main-1", head: "11111111", run: 1, files: ["a.ts"] },
    asked: [],
  },
  {
    name: "red checks",
    before: 1,
    want: { reason: "ChecksFailed", target: "main-1", message: expect.stringContaining("1 of 3 failed") },
    asked: [],
  },
  {
    name: "a third failure, of which a person decides",
    before: 2,
    plan: { is: "conflict", files: Array.from({ length: 201 }, (_, at) => `${at}.ts`) },
    want: { reason: "Conflict", files: expect.objectContaining({ length: 200 }) },
    asked: [{ reason: "MergeConflict", commit: "11111111", project: "p-1" }],
  },
])("$name sends the work back, and is counted", async ({ before, plan, want, asked }) => {
  const git = new Git();
  git.planned = plan;
  const world = await openWorld(
    [aWorkspace(), waiting(1, { pendingConflicts: before })],
    partsOf(git, { "merge-of-11111111": red }),
  );
  await mergeController(world.deps).reconcile(QUEUE, new AbortController().signal);
  const { status } = await world.the("Project", "p-1");
  expect(status).toMatchObject({ mergeFailure: want, pendingConflicts: before + 1 });
  const { items } = await world.deps.client.list("Escalation");
  expect(items.map(({ spec }) => spec)).toMatchObject(asked);
  expect(status?.escalation).toBe(items[0]?.metadata.name);
});

test("where a secret is found nothing is merged, and the Project waits for the person who is asked", async () => {
  const parts = partsOf(new Git(), { "merge-of-11111111": green });
  const secret = { kind: "Secret", path: "k.ts", commit: "11111111", message: "A key." } as const;
  const world = await openWorld([aWorkspace(), waiting(1)], {
    ...parts,
    quality: { ...parts.quality, inspect: async () => [secret] },
  });
  await lookOn(world);
  const { items } = await world.deps.client.list("Escalation");
  expect(items.map(({ spec }) => spec)).toMatchObject([{ reason: "SecretFound", commit: "11111111" }]);
  const { status } = await world.the("Project", "p-1");
  expect(status).toMatchObject({ escalation: items[0]?.metadata.name });
  expect(status?.merge).toBeUndefined();
  expect(world.said).toEqual(["Warning SecretFound"]);
});

test("a rebase that is another patch is submitted in place of what was approved", async () => {
  const git = new Git();
  git.planned = { is: "changed", head: "rebased1" };
  const world = await openWorld([aWorkspace(), waiting(1)], partsOf(git));
  await mergeController(world.deps).reconcile(QUEUE, new AbortController().signal);
  const { status } = await world.the("Project", "p-1");
  expect(status).toMatchObject({ head: "rebased1", submission: { head: "rebased1", run: 1 } });
});

test.each([
  { name: "nobody was asked", before: [], want: 1 },
  { name: "a person is asked already", before: ["Open"], want: 1 },
  { name: "a person has answered", before: ["Resolved"], want: 2 },
] as const)(
  "a target that was rewritten merges nothing; where $name there are $want Escalations",
  async (row) => {
    const git = new Git();
    git.sync = { is: "rewritten", message: "main lost a commit." };
    const escalations: KubeObject[] = row.before.map((state, at) => ({
      ...aWorkspace(),
      kind: "Escalation",
      metadata: { name: `target-rewritten-${at + 1}`, namespace: "default", uid: `e-${at}` },
      spec: { reason: "TargetRewritten", message: "main lost a commit." },
      status: { state },
    }));
    const world = await openWorld(
      [aWorkspace(), waiting(1), ...escalations],
      partsOf(git, { "merge-of-11111111": green }),
    );
    expect(await mergeController(world.deps).reconcile(QUEUE, new AbortController().signal)).toEqual(settled);
    expect((await world.deps.client.list("Escalation")).items).toHaveLength(row.want);
    expect((await world.the("Project", "p-1")).status?.merge).toBeUndefined();
  },
);

test("a branch that can't follow is tried again by and by, since what a person does to its files wakes nobody", async () => {
  const git = new Git();
  git.sync = { is: "behind", commit: "main-1", reason: "CheckoutDirty", message: "a.ts is changed." };
  const world = await openWorld([aWorkspace()], partsOf(git));
  const next = await mergeController(world.deps).reconcile(QUEUE, new AbortController().signal);
  expect(next).toEqual({ after: "ms", ms: 30_000 });
  expect((await world.the("Workspace", "workspace")).status).toMatchObject({
    target: { branch: "main", commit: "main-1" },
    conditions: [{ type: "TargetInSync", status: "False", reason: "CheckoutDirty" }],
  });
});
