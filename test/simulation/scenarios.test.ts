/** Stories on the whole system: what a person declares, and what is then seen. */
import { describe, expect, test } from "vitest";
import { API_VERSION, FIXES_BASELINE_LABEL, POOL_LABEL } from "../../pkg/api/names.ts";
import type { GitClaim } from "../../pkg/git/repository.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { declare } from "./declare.ts";
import { type Story, tell } from "./story.ts";
import type { Temper } from "./world/conduct.ts";
import { BROKEN } from "./world/quality.ts";

const merged = (story: Story, name: string) => (): boolean =>
  story.world.api.object("Project", name)?.status?.phase === "Done";
const working = (story: Story, name: string) => (): boolean => story.works(name);
/** An agent is removed by hand, finalizers and all, while no operator lives; `then` is what else is done until one does. */
const tearOut = async ({ world, operator }: Story, name: string, then = async () => {}): Promise<void> => {
  operator.crash();
  const key = { namespace: "default", name };
  await world.api.patch("Agent", key, { metadata: { finalizers: null } });
  await world.api.delete("Agent", key);
  await then();
  operator.start();
};
const endlessly = { ends: "Done" as const, turns: 10_000 };
const endless = (purpose: string) => (spec: { purpose: string }) =>
  spec.purpose === purpose ? endlessly : undefined;

test("a project is worked on, reviewed by another, and merged with its trail in the message", async () => {
  const story = await tell();
  await story.projects("retry");
  await story.until("retry is merged", merged(story, "retry"));
  const { status } = story.the("Project", "retry");
  expect(status).toMatchObject({ phase: "Done", progressPercent: 100, submission: { agent: "agent-1" } });
  expect(status?.verdict?.by).toBe("agent-2");
  const commit = story.world.repository.objects.get(story.world.repository.targetHead);
  expect(commit.parents[1]).toBe(status?.submission?.head);
  expect(commit.subject).toContain("Bosun-Project: retry (1)\nBosun-Review: ");
});

test("projects that wait at a start are taken in the order in which they were declared: it was that of their names", async () => {
  const story = await tell();
  story.operator.crash();
  const declared = ["zinc", "tin", "iron", "gold"];
  await story.projects(...declared);
  await story.minutes(1);
  const created = declared.map((name) => story.the("Project", name).metadata.resourceVersion);
  story.operator.start();
  const taken: string[] = [];
  for (const _ of declared) {
    const next = () => declared.find((name) => !taken.includes(name) && working(story, name)());
    await story.until("the next is worked on", next);
    taken.push(next() ?? "");
  }
  expect(taken).toEqual(declared);
  expect(declared.map((name) => story.the("Project", name).status?.creationRevision)).toEqual(created);
});

test("a merge that was announced is planned anew where the target has moved since", async () => {
  const story = await tell();
  const { repository } = story.world;
  await story.projects("retry");
  await story.until(
    "its merge is announced",
    () => story.world.api.object("Project", "retry")?.status?.merge,
  );
  story.operator.crash();
  repository.userCommits({ "beside.txt": "by a person" });
  await repository.syncTarget();
  const moved = repository.targetHead;

  story.operator.start();
  await story.until("it is merged", merged(story, "retry"));
  const { mergeCommit = "" } = story.the("Project", "retry").status ?? {};
  expect(repository.objects.isAncestor(mergeCommit, repository.targetHead)).toBe(true);
  expect(repository.objects.get(mergeCommit).parents[0]).toBe(moved);
});

test("a merge whose operator died right after the swap is found made, and made once", async () => {
  const story = await tell();
  const { repository } = story.world;
  await story.projects("retry");
  const announced = () => story.world.api.object("Project", "retry")?.status?.merge?.to;
  const isSwapped = () => announced() !== undefined && repository.targetHead === announced();
  await story.until("the target is swapped", isSwapped);
  const to = announced();
  story.operator.crash();
  story.operator.start();
  await story.until("it is merged", merged(story, "retry"));
  expect(story.the("Project", "retry").status?.mergeCommit).toBe(to);
  expect(repository.targetHead).toBe(to);
});

test("a merge that was made is not planned again while the target can't be seen", async () => {
  const story = await tell();
  const { api, repository } = story.world;
  await story.projects("retry");
  const announced = () => api.object("Project", "retry")?.status?.merge?.to;
  const isSwapped = () => announced() !== undefined && repository.targetHead === announced();
  await story.until("the target is swapped", isSwapped);
  const to = announced();
  story.operator.crash();
  let isSeen = false;
  const [target, targetContains] = [repository.target, repository.targetContains].map((look) =>
    look.bind(repository),
  ) as [typeof repository.target, typeof repository.targetContains];
  repository.target = async () => (isSeen ? target() : { is: "unknown", why: "It is locked." });
  repository.targetContains = async (commit) => isSeen && targetContains(commit);
  story.operator.start();
  await story.minutes(5);
  expect(announced()).toBe(to);
  isSeen = true;
  await story.until("it is merged", merged(story, "retry"));
  expect(repository.targetHead).toBe(to);
});

test("a Project that is deleted once its merge is announced stays until that is made, though its agent is gone", async () => {
  const story = await tell();
  const { api, repository } = story.world;
  await story.projects("retry");
  const announced = () => api.object("Project", "retry")?.status?.merge?.to;
  await story.until("its merge is announced", announced);
  const to = announced() ?? "";
  const swapTarget = repository.swapTarget.bind(repository);
  let isBusy = true;
  repository.swapTarget = async (...what) => {
    if (isBusy) throw new TransientError("RefBusy", "A ref is locked.");
    return swapTarget(...what);
  };
  await tearOut(story, "agent-1", () => api.delete("Project", { namespace: "default", name: "retry" }));
  await story.minutes(5);
  expect(announced()).toBe(to);
  isBusy = false;
  await story.until("it is gone", () => api.object("Project", "retry") === undefined);
  expect(repository.objects.isAncestor(to, repository.targetHead)).toBe(true);
});

test("a project is judged by the criteria that it was claimed with, whoever edits them since", async () => {
  const story = await tell();
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  const criteria = story.the("Project", "retry").status?.claim?.criteria;
  await story.patch("Project", "retry", { acceptanceCriteria: [{ id: "AC-9", text: "Anything goes." }] });
  await story.until("it is reviewed", () => story.world.api.objects("Review")[0]);
  expect(story.world.api.objects("Review")[0]?.spec.criteria).toEqual(criteria);
});

describe("no claim number is given twice: the repository remembers", () => {
  test("though the Project that had them is lost", async () => {
    const story = await tell();
    await story.world.repository.recordClaim({ project: "retry", number: 7, agent: "agent-3" });
    await story.projects("retry");
    await story.until("it is merged", merged(story, "retry"));
    expect(story.the("Project", "retry").status?.submission?.claim).toBe(8);
  });
  test("though the Project is as it was some claims ago, out of a backup", async () => {
    const story = await tell();
    const { api, repository } = story.world;
    story.operator.crash();
    await story.projects("retry");
    await repository.recordClaim({ project: "retry", number: 7, agent: "agent-3" });
    const key = { namespace: "default", name: "retry" };
    await api.patch("Project", key, { status: { claimNumber: 2 } }, { subresource: "status" });
    story.operator.start();
    await story.until("it is merged", merged(story, "retry"));
    expect(story.the("Project", "retry").status?.submission?.claim).toBe(8);
  });
});

test("the number of a Project that was deleted is given to no other: branches and commits bear it", async () => {
  const story = await tell();
  await story.projects("first");
  await story.until("it is merged", merged(story, "first"));
  const { api } = story.world;
  await api.delete("Project", { namespace: "default", name: "first" });
  await story.until("it is gone", () => api.object("Project", "first") === undefined);
  await story.projects("second");
  await story.until("it is merged", merged(story, "second"));
  expect(story.the("Project", "second").status?.number).toBe(2);
});

for (const mode of ["Stopped", "Paused"] as const)
  test(`what is approved is not merged while the workspace is ${mode}, and is once work goes on`, async () => {
    const story = await tell({ workspace: { merge: { mode: "Manual" } } });
    await story.projects("one");
    await story.until("it is approved", () => story.phase("one") === "Approved");
    await story.patch("Workspace", "workspace", { mode });
    await story.until("that is in force", () => mode === "Paused" || story.world.latch.isEngaged);
    await story.patch("Workspace", "workspace", { merge: { mode: "Auto" } });
    await story.minutes(30);
    expect(story.phase("one")).toBe("Approved");
    await story.patch("Workspace", "workspace", { mode: "Running" });
    await story.until("it is merged", merged(story, "one"));
  });

test("while the checks of one merge run, none is planned for what stands behind it", async () => {
  const story = await tell({ builders: 2, workspace: { merge: { mode: "Manual" } } });
  await story.projects("one", "two");
  const approved = () => story.phase("one") === "Approved" && story.phase("two") === "Approved";
  await story.until("both are approved", approved);
  // And shown so: the queue passes by what is not yet.
  await story.minutes(1);
  const { quality, repository } = story.world;
  const asked = new Set<string>();
  story.operator.crash();
  quality.checks = async (commit) => {
    if (repository.objects.get(commit).parents.length > 1) asked.add(commit);
    return { is: "running" };
  };
  story.operator.start();
  await story.patch("Workspace", "workspace", { merge: { mode: "Auto" } });
  await story.minutes(10);
  expect(asked.size).toBe(1);
});

test("of a target that was rewritten a person is asked once, and anew when it happens again; nothing merges meanwhile", async () => {
  const story = await tell();
  const { api, repository } = story.world;
  const asked = () =>
    api
      .objects("Escalation")
      .filter(({ spec }) => spec.reason === "TargetRewritten")
      .map(({ status }) => status?.state);
  await story.projects("one");
  await story.until("it is merged", merged(story, "one"));
  for (const before of [[], ["Resolved"]]) {
    repository.userRewrites();
    await story.until("a person is asked", () => asked().length > before.length);
    const name = `two-${before.length}`;
    await story.projects(name);
    await story.until("it is approved", () => story.phase(name) === "Approved");
    await story.minutes(120);
    expect([asked(), story.phase(name)]).toEqual([[...before, "Open"], "Approved"]);
    repository.userRestores();
    await story.resolve("Resolved", "TargetRewritten");
    await story.until("it is merged", merged(story, name));
  }
});

test("the session of an agent that was torn out went on for ever; its claim is released, though another has its name", async () => {
  // It comes to no end of a turn, at which it could be asked to end.
  const story = await tell({ temper: { script: () => ({ ends: "Silent", turns: 3 }) } });
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  await story.minutes(20);
  const { metadata: before, spec, apiVersion, kind } = story.the("Agent", "agent-1");
  await tearOut(story, "agent-1", async () => {
    const { name, namespace, labels, ownerReferences } = before;
    const metadata = { name, namespace, labels, ownerReferences };
    await story.world.api.create("Agent", { apiVersion, kind, metadata, spec });
  });
  await story.until("it is claimed anew", () => story.the("Project", "retry").status?.claim?.number === 2);
  const { claim } = story.the("Project", "retry").status ?? {};
  expect(claim).toMatchObject({ agent: "agent-1", agentUID: story.the("Agent", "agent-1").metadata.uid });
  expect(claim?.agentUID).not.toBe(before.uid);
  const running = () => story.world.sessions.hosts().map(({ spec }) => spec.id);
  await story.until("no other session runs", () => running().join() === claim?.session, 0.1);
});

test("a reviewer that is gone makes no time-out of its review undone", async () => {
  const story = await tell({ temper: { script: endless("review") } });
  await story.projects("retry");
  const review = () => story.world.api.objects("Review")[0]?.status;
  await story.until("it has timed out once", () => review()?.timeouts === 1);
  await story.until("it is reviewed again", () => review()?.claim);
  const { agent = "", agentUID } = review()?.claim ?? {};
  await tearOut(story, agent);
  await story.until("another has it", () => (review()?.claim?.agentUID ?? agentUID) !== agentUID);
  expect(review()?.timeouts).toBe(1);
});

test("a reviewer that is gone is not taken for another of its name: its review is another's at once", async () => {
  const story = await tell({ temper: { script: endless("review") } });
  const { api } = story.world;
  await story.projects("retry");
  const review = () => api.objects("Review")[0]?.status;
  await story.until("it is reviewed", () => review()?.claim);
  const { agent = "", agentUID, session } = review()?.claim ?? {};
  const { metadata, spec } = story.the("Agent", agent);
  await tearOut(story, agent, async () => {
    const { name, namespace, labels, finalizers } = metadata;
    const again = { name, namespace, labels, finalizers };
    await api.create("Agent", { apiVersion: API_VERSION, kind: "Agent", metadata: again, spec });
  });
  await story.until("another has it", () => ![undefined, session].includes(review()?.claim?.session), 0.1);
  expect(review()?.claim?.agent).toBe(agent);
  expect(review()?.claim?.agentUID).not.toBe(agentUID);
});

test("work whose agent is gone is taken up by another from the last commit that was handed over", async () => {
  const story = await tell({
    temper: { approves: 0, script: ({ run }) => (run > 1 ? endlessly : undefined) },
  });
  await story.projects("retry");
  const status = () => story.world.api.object("Project", "retry")?.status;
  await story.until("it is worked on again", () => status()?.claim?.run === 2);
  const { head, claim: { agent = "" } = {} } = status() ?? {};
  await tearOut(story, agent);
  await story.until("another has it", () => (status()?.claim?.number ?? 1) > 1);
  expect(head).toBeDefined();
  expect(status()?.claim?.from).toBe(head);
});

test("two Projects of one issue never have one number: the second waits until the first is gone", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  const { api } = story.world;
  await story.project("first", { github: { issue: 7 } });
  await story.project("second", { github: { issue: 7 } });
  const number = (name: string) => story.the("Project", name).status?.number;
  await story.minutes(30);
  expect([number("first"), number("second")]).toEqual([7, undefined]);
  await api.delete("Project", { namespace: "default", name: "first" });
  await story.until("the second has it", () => number("second") === 7, 1);
});

describe("a pause ends the session after its running turn and keeps claim, branch and transcript", () => {
  const levels = {
    agent: ["Agent", "agent-1", { paused: true }, { paused: false }],
    pool: ["AgentPool", "builders", { paused: true }, { paused: false }],
    workspace: ["Workspace", "workspace", { mode: "Paused" }, { mode: "Running" }],
    category: ["Category", "testing", { mode: "Paused" }, { mode: "Enabled" }],
  } as const;
  for (const [level, [kind, name, pause, resume]] of Object.entries(levels))
    test(`of the ${level}`, async () => {
      const story = await tell({ temper: { script: endless("execute") } });
      await story.world.api.create("Category", {
        apiVersion: "bosun.dev/v1alpha1",
        kind: "Category",
        metadata: { name: "testing" },
        spec: { mode: "Enabled" },
      });
      await story.project("retry", { category: "testing" });
      await story.until("it is worked on", working(story, "retry"));
      await story.minutes(10);
      const before = story.the("Project", "retry").status?.claim;
      const turns = (): number | undefined => story.the("Agent", "agent-1").status?.session?.turns;
      const turnsBefore = turns() ?? 0;

      await story.patch(kind, name, { ...pause });
      await story.until("the session has ended", () => !story.works("retry"), 0.2);
      await story.minutes(60);
      expect(story.works("retry")).toBe(false);
      expect(story.the("Project", "retry").status?.claim).toEqual(before);
      expect(story.phase("retry")).toBe("Working");
      expect(story.the("Agent", "agent-1").status?.state).toBe("Paused");
      expect(story.the("Agent", "agent-1").status?.failures ?? 0).toBe(0);
      const elapsed = story.the("Project", "retry").status?.elapsedSeconds ?? 0;
      expect(elapsed).toBeLessThan(16 * 60);

      await story.patch(kind, name, { ...resume });
      await story.until("it goes on", working(story, "retry"), 0.2);
      await story.minutes(10);
      expect(story.the("Project", "retry").status?.claim?.session).toBe(before?.session);
      expect(turns()).toBeGreaterThan(turnsBefore);
    });
});

test("a paused category's projects are not claimed, and others are", async () => {
  const story = await tell();
  const category = { apiVersion: "bosun.dev/v1alpha1", kind: "Category" } as const;
  await story.world.api.create("Category", {
    ...category,
    metadata: { name: "testing" },
    spec: { mode: "Paused" },
  });
  await story.project("waits", { category: "testing" });
  await story.project("goes", { category: "security" });
  await story.until("the other is merged", merged(story, "goes"));
  expect(story.phase("waits")).toBe("Queued");
  await story.patch("Category", "testing", { mode: "Enabled" });
  await story.until("it is merged too", merged(story, "waits"));
});

test("a project past 8 hours of live session is abandoned with its work kept, the agent claims another, and Continue gives it as long again", async () => {
  const script = (spec: { project: string }) =>
    spec.project === "long" ? { ends: "Done" as const, turns: 10_000 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("long", "short");
  await story.minutes(7.5 * 60);
  expect(story.phase("long")).toBe("Working");
  await story.until("it is given up", () => story.phase("long") === "Abandoned", 1);
  await story.until("the other is merged", merged(story, "short"));
  expect(story.escalation("TimedOut")?.status?.state).toBe("Open");
  expect(story.condition("Project", "long", "Abandoned")).toMatchObject({
    status: "True",
    reason: "TimedOut",
  });
  const { head, claim, branch } = story.the("Project", "long").status ?? {};
  expect(claim).toBeUndefined();
  expect(story.world.repository.branch(branch ?? "")).toBe(head);
  expect(story.world.repository.quarantined).toEqual([]);

  delete story.world.temper.script;
  await story.resolve("Continue");
  await story.until("it is merged too", merged(story, "long"));
});

test("a review past 2 hours is given to another session, and the second time to a person", async () => {
  const story = await tell({ reviewers: 2, temper: { script: endless("review") } });
  await story.projects("retry");
  await story.until(
    "it is reviewed",
    () => story.world.api.objects("Review")[0]?.status?.claim !== undefined,
  );
  const first = story.world.api.objects("Review")[0]?.status?.claim?.session;
  await story.minutes(100);
  expect(story.world.api.objects("Review")[0]?.status?.claim?.session).toBe(first);
  const review = () => story.world.api.objects("Review")[0]?.status;
  await story.until("it has timed out", () => review()?.timeouts === 1, 1);
  expect(review()?.claim).toBeUndefined();
  await story.until("another session has it", () => ![undefined, first].includes(review()?.claim?.session));
  expect(story.phase("retry")).toBe("InReview");
  await story.until("a person is asked", () => story.escalation("ReviewTimedOut"), 3);
  await story.until("no reviewer is left at it", () => story.world.sessions.hosts().length === 0, 0.5);
});

test("a session that changes nothing for 30 minutes is stuck: escalated, its work kept, its agent freed", async () => {
  const script = (spec: { project: string }) =>
    spec.project === "silent" ? { ends: "Silent" as const, turns: 3 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("silent", "next");
  await story.until("a person is asked", () => story.escalation("Stuck"), 2);
  expect(story.phase("silent")).toBe("Escalated");
  await story.until("the agent works on the next", working(story, "next"), 0.5);
  const { head, claim } = story.the("Project", "silent").status ?? {};
  expect([claim, head]).toEqual([undefined, expect.any(String)]);
});

test("a host that is started anew is given 30 minutes to change something, like the one before", async () => {
  const story = await tell({ temper: { script: () => ({ ends: "Silent", turns: 3 }) } });
  await story.projects("silent");
  const session = () => story.the("Agent", "agent-1").status?.session;
  await story.until("it has long changed nothing", () => (session()?.unchangedSeconds ?? 0) > 1000, 2);
  await story.patch("Agent", "agent-1", { restartedAt: "2026-01-05T12:00:00Z" });
  await story.until("another host runs", () => session()?.restartedAt !== undefined);
  expect(session()?.unchangedSeconds).toBeLessThan(60);
  await story.until("a person is asked", () => story.escalation("Stuck"), 2);
});

test("a clock that is set forward makes nothing stuck", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("retry");
  await story.minutes(20);
  story.world.scheduler.jumpWall(3 * 3_600_000);
  await story.minutes(20);
  expect(story.phase("retry")).toBe("Working");
});

test("three reviews that ask for changes end in an Escalation with both perspectives, each run told what was asked", async () => {
  const told = new Map<number, string>();
  const script: Temper["script"] = ({ purpose, run, message }) => {
    if (purpose === "execute") told.set(run, message);
    return undefined;
  };
  const story = await tell({ temper: { approves: 0, script } });
  await story.projects("retry");
  await story.until("a person is asked", () => story.escalation("ReviewDeadlock"), 12);
  const { spec } = story.escalation("ReviewDeadlock") ?? {};
  expect(spec?.perspectives?.author).toContain("The work is complete.");
  expect(spec?.perspectives?.reviewer).toContain("not met");
  await story.until("it says so", () => story.phase("retry") === "Escalated", 0.1);
  expect(story.the("Project", "retry").status?.reviewCycles).toBe(3);
  const asked = expect.stringMatching(/^Rework after Review: .*not met/);
  expect([...told]).toEqual([
    [1, "Work on Project retry"],
    [2, asked],
    [3, asked],
  ]);
});

describe("a person's decision is acted on", () => {
  async function deadlock(): Promise<Story> {
    const story = await tell({ temper: { approves: 0 } });
    await story.projects("retry");
    await story.until("a person is asked", () => story.escalation("ReviewDeadlock"), 12);
    return story;
  }
  const stuck = async (builders = 1): Promise<Story> => {
    let left = 1;
    const story = await tell({
      builders,
      temper: {
        script: ({ purpose }) => {
          if (purpose === "review" || left === 0) return undefined;
          left -= 1;
          return { ends: "Silent", turns: 3 };
        },
      },
    });
    await story.projects("retry");
    await story.until("a person is asked", () => story.escalation("Stuck"), 3);
    await story.until("it is let go", () => story.the("Project", "retry").status?.claim === undefined, 0.1);
    return story;
  };

  test("Approve of a deadlock merges exactly that commit in the person's name", async () => {
    const story = await deadlock();
    await story.resolve("Approve");
    await story.until("it is merged", merged(story, "retry"));
    expect(story.the("Project", "retry").status?.verdict?.by).toBe("person");
    expect(story.escalation("ReviewDeadlock")?.status?.state).toBe("Resolved");
  });

  test("Rework of a deadlock allows one more cycle", async () => {
    const story = await deadlock();
    story.world.temper.approves = 1;
    const { name = "" } = story.escalation("ReviewDeadlock")?.metadata ?? {};
    await story.patch("Escalation", name, { resolution: { action: "Rework", note: "Keep the old name." } });
    await story.until("the next run is open", () => story.the("Project", "retry").status?.claim?.run === 4);
    const { message } = story.the("Project", "retry").status?.claim ?? {};
    expect(message).toMatch(/not met[\s\S]*A person decided Rework: Keep the old name\./);
    await story.until("it is merged", merged(story, "retry"));
    expect(story.the("Project", "retry").status?.submission?.run).toBe(4);
  });

  test("Abandon gives it up and keeps the branch", async () => {
    const story = await deadlock();
    await story.resolve("Abandon");
    await story.until("it is given up", () => story.the("Project", "retry").status?.phase === "Abandoned");
    const { branch = "", head } = story.the("Project", "retry").status ?? {};
    expect(story.world.repository.branch(branch)).toBe(head);
  });

  test("Continue after Stuck goes on from the last commit", async () => {
    const story = await stuck();
    const head = story.the("Project", "retry").status?.head;
    await story.resolve("Continue");
    await story.until("it is merged", merged(story, "retry"));
    const { objects, targetHead } = story.world.repository;
    expect(objects.isAncestor(head ?? "", targetHead)).toBe(true);

    const told = story.escalation("Stuck");
    expect(told?.status?.state).toBe("Resolved");
    story.operator.crash();
    story.operator.start();
    await story.minutes(10);
    // It was decided then, and not again by whoever looks at it.
    expect(story.escalation("Stuck")).toEqual(told);
  });

  test("Reassign after Stuck gives it to another agent, whose branch starts at the last commit", async () => {
    const story = await stuck(2);
    const { head, branch = "" } = story.the("Project", "retry").status ?? {};
    const first = branch.split("/")[0];
    await story.resolve("Reassign");
    await story.until("somebody has it", () => story.the("Project", "retry").status?.claim !== undefined);
    const { claim } = story.the("Project", "retry").status ?? {};
    expect(claim?.agent).not.toBe(first);
    expect(claim?.from).toBe(head);
    await story.until("it is merged", merged(story, "retry"));
  });

  test("Reassign after Stuck gives it to the only agent again: it would wait for ever", async () => {
    const story = await stuck(1);
    const { claimNumber = 0 } = story.the("Project", "retry").status ?? {};
    await story.resolve("Reassign");
    await story.until("it is merged", merged(story, "retry"));
    expect(story.the("Project", "retry").status?.claimNumber).toBeGreaterThan(claimNumber);
  });

  test("a decision that was taken in, its operator dead before it could say so, is carried out all the same", async () => {
    const story = await stuck(1);
    await story.resolve("Continue");
    const { status } = story.the("Project", "retry");
    await story.until("it is taken in", () => story.the("Project", "retry").status?.resolutions);
    expect(status?.resolutions).toBeUndefined();
    story.operator.crash();
    await story.minutes(30);
    expect(story.escalation("Stuck")?.status?.state).toBe("Open");
    story.operator.start();
    await story.until("it is merged", merged(story, "retry"));
    expect(story.escalation("Stuck")?.status).toMatchObject({ state: "Resolved" });
  });

  test("Reassign in the moment of the Escalation waits until the agent has saved and let go", async () => {
    const story = await tell({ builders: 2, temper: { script: () => ({ ends: "Silent", turns: 3 }) } });
    const { repository } = story.world;
    const saveWork = repository.saveWork.bind(repository);
    let isSeen = false;
    story.operator.crash();
    repository.saveWork = async (...what) =>
      isSeen ? await saveWork(...what) : { is: "unknown", why: "It is locked." };
    story.operator.start();
    await story.projects("retry");
    await story.until("a person is asked", () => story.escalation("Stuck"), 4);
    const { claim: first, escalation } = story.the("Project", "retry").status ?? {};
    expect(first).toBeDefined();
    await story.resolve("Reassign");
    await story.minutes(10);
    expect(story.the("Project", "retry").status).toMatchObject({ claim: first, escalation });
    isSeen = true;
    const claim = () => story.the("Project", "retry").status?.claim;
    await story.until("it is another claim", () => (claim()?.number ?? 0) > (first?.number ?? 0));
    expect(claim()?.agent).not.toBe(first?.agent);
    expect(story.world.repository.branch(first?.branch ?? "")).toBe(claim()?.from);
  });

  test("Resolved of a review that timed out opens a new review", async () => {
    const story = await tell({ temper: { script: endless("review") } });
    await story.projects("retry");
    await story.until("a person is asked", () => story.escalation("ReviewTimedOut"), 8);
    delete story.world.temper.script;
    await story.resolve("Resolved");
    // The reviewer of the first had not let go of it, judged it all the same, and waited for ever to have it settled.
    await story.until("it is merged", merged(story, "retry"));
    const states = story.world.api.objects("Review").map(({ status }) => status?.state);
    expect(states.sort()).toEqual(["Cancelled", "Settled"]);
  });

  test("Resolved of a merge conflict tries again", async () => {
    const story = await tell();
    story.world.repository.rebases = 0;
    let conflicts = 0;
    await story.projects("retry");
    while (story.phase("retry") !== "Escalated") {
      await story.until("it is approved or a person is asked", () =>
        ["Approved", "Escalated"].includes(story.phase("retry") ?? ""),
      );
      const { head = "", base = "" } = story.the("Project", "retry").status ?? {};
      const path = story.world.repository.objects.changed(base, head)[0] ?? "";
      if (story.phase("retry") === "Escalated") break;
      // What was taken in meanwhile is no change of the Project's.
      expect(base).toBe(story.world.repository.targetHead);
      conflicts += 1;
      story.world.repository.userCommits({ [path]: `theirs ${conflicts}` });
      await story.until("the queue has looked", () => story.phase("retry") !== "Approved");
    }
    await story.until("a person is asked", () => story.escalation("MergeConflict"), 0.1);
    expect(story.escalation("MergeConflict")?.spec.conflictingFiles).not.toEqual([]);
    expect(story.the("Project", "retry").status).toMatchObject({
      pendingConflicts: 3,
      // What the agent is told to merge.
      mergeFailure: { target: story.world.repository.targetHead },
    });
    // What the person resolved: the user's branch no longer differs there.
    const { head = "" } = story.the("Project", "retry").status ?? {};
    const { objects, targetHead } = story.world.repository;
    const theirs = objects.mergeTrees(targetHead, head).conflicts;
    const ours = objects.get(head).tree;
    story.world.repository.userCommits(
      Object.fromEntries(theirs.map((path) => [path, ours.get(path) ?? ""])),
    );
    await story.resolve("Resolved");
    // So that the next conflict is the first one, and asks nobody.
    await story.until("it is tried", () => story.phase("retry") !== "Escalated", 0.1);
    expect(story.the("Project", "retry").status?.pendingConflicts).toBe(0);
    await story.until("it is merged", merged(story, "retry"));
  });
});

test("a judgement that can't be seen when its agent tells of it is taken in seconds later", async () => {
  const story = await tell();
  const { sessions } = story.world;
  const find = sessions.find.bind(sessions);
  let looks = 0;
  // As the real one answers while a host that has judged is ending.
  sessions.find = async (id) => {
    const seen = await find(id);
    if (seen.is !== "absent" || seen.report?.outcome?.kind !== "Judged") return seen;
    looks += 1;
    return looks > 1 && looks < 6 ? { is: "unknown", why: "The host is ending." } : seen;
  };
  story.operator.crash();
  story.operator.start();
  await story.projects("retry");
  await story.until("a reviewer has judged", () => looks > 0);
  await story.until("the verdict is recorded", () => story.the("Project", "retry").status?.verdict, 0.1);
});

test("a secret is escalated, and after Rework merged only without it", async () => {
  const story = await tell({ temper: { offends: 1, offence: "Secret", approves: 1 } });
  await story.projects("a");
  await story.until("a person is asked", () => story.escalation("SecretFound"), 20);
  story.world.temper.offends = 0;
  const unanswered = (): boolean =>
    story.world.api.objects("Escalation").some(({ spec }) => spec.resolution === undefined);
  // One run in ten leaves the secret in its first commits, and a person is asked again.
  while (!merged(story, "a")()) {
    await story.until("it is merged, or a person is asked", () => merged(story, "a")() || unanswered(), 12);
    if (unanswered()) await story.resolve("Rework", "SecretFound");
    await story.minutes(1);
  }
  for (const content of story.world.repository.objects.get(story.world.repository.targetHead).tree.values())
    expect(content).not.toContain("secret");
  // What a person sends back is no review that asked for changes.
  expect(story.the("Project", "a").status?.reviewCycles ?? 0).toBe(0);
});

test("a protected path waits for a person, whose Approve lets exactly that commit pass", async () => {
  const story = await tell({ temper: { offends: 1, offence: "ProtectedPath" } });
  await story.projects("a");
  await story.until("a person is asked", () => story.escalation("ProtectedPath"), 20);
  const escalation = story.escalation("ProtectedPath");
  // Whoever reads the review sees it too, beside what the reviewer found.
  const [review] = story.world.api.objects("Review");
  expect(review?.status?.findings).toContainEqual(expect.stringMatching(/^ProtectedPath /));
  await story.resolve("Approve", "ProtectedPath");
  await story.until("it is merged", merged(story, escalation?.spec.project ?? ""));
  expect(story.the("Project", escalation?.spec.project ?? "").status?.submission?.head).toBe(
    escalation?.spec.commit,
  );
});

test("an assignment moves a project in work to that agent, whose branch starts at the last commit", async () => {
  const story = await tell({ builders: 2, temper: { script: endless("execute") } });
  await story.project("retry", { assignedAgent: "agent-1" });
  await story.until("agent-1 works", working(story, "retry"));
  await story.minutes(30);
  await story.patch("Project", "retry", { assignedAgent: "agent-2" });
  await story.until(
    "agent-2 has it",
    () => story.the("Project", "retry").status?.claim?.agent === "agent-2",
    1,
  );
  const { claim, head } = story.the("Project", "retry").status ?? {};
  expect(claim).toMatchObject({ number: 2, from: head, branch: "agent-2/project-1" });
  expect(story.world.repository.branch("agent-1/project-1")).toBe(head);
  await story.until("agent-2 works", working(story, "retry"), 0.5);

  // What all of them have worked counts, for its limit as for people.
  const worked = () => story.the("Project", "retry").status?.workedSeconds ?? 0;
  const before = worked();
  expect(before).toBeGreaterThan(1000);
  await story.minutes(30);
  await story.patch("Project", "retry", { assignedAgent: "agent-1" });
  await story.until("agent-1 has it", () => story.the("Project", "retry").status?.claim?.number === 3, 1);
  expect(worked()).toBeGreaterThan(before + 1000);
});

test("who takes up what a review sent back to another agent is told both the Project and what was asked for", async () => {
  const story = await tell({ builders: 2, temper: { approves: 0 } });
  await story.projects("retry");
  await story.until("changes are asked for", () => story.phase("retry") === "ChangesRequested");
  const { agent } = story.the("Project", "retry").status?.claim ?? {};
  const other = agent === "agent-1" ? "agent-2" : "agent-1";
  await story.patch("Project", "retry", { assignedAgent: other });
  const host = () => story.world.sessions.hosts().find(({ spec }) => spec.agent === other);
  await story.until("the other works on it", host, 1);
  expect(host()?.spec.message).toMatch(/^Work on Project retry\n\nRework after Review: /);
});

test("a review of an earlier commit that nobody has taken up ends when the next one begins", async () => {
  const story = await tell({ reviewers: 0 });
  const { api } = story.world;
  const spec = { project: "one", type: "Completion" as const, cycle: 1, criteria: [], author: "agent-1" };
  const commits = { baseCommit: "b".repeat(40), headCommit: "a".repeat(40) };
  await api.create("Review", {
    ...{ apiVersion: API_VERSION, kind: "Review", metadata: { name: "one-before", namespace: "default" } },
    spec: { ...spec, ...commits },
  });
  const key = { namespace: "default", name: "one-before" };
  await api.patch("Review", key, { status: { state: "Pending" } }, { subresource: "status" });
  await story.projects("one");
  await story.until(
    "it is in review",
    () => story.phase("one") === "InReview" && story.the("Project", "one").status?.review !== undefined,
  );
  expect(story.the("Review", "one-before").status?.state).toBe("Cancelled");
});

test.each([
  { lacks: { replicas: 0, paused: false }, reviewers: 0 },
  { lacks: { replicas: 1, paused: true }, reviewers: 1 },
])(
  "without a reviewer nothing merges, and the project says what to do: $lacks",
  async ({ lacks, reviewers }) => {
    const story = await tell({ reviewers });
    await story.patch("AgentPool", "reviewers", lacks);
    await story.projects("retry");
    await story.until("it is handed over", () => story.phase("retry") === "InReview");
    await story.minutes(120);
    expect(story.condition("Project", "retry", "ReviewerAvailable")).toMatchObject({
      status: "False",
      reason: "NoReviewer",
      message: expect.stringContaining("Scale the pool reviewers up, or resume it"),
    });
    await story.patch("AgentPool", "reviewers", { replicas: 1, paused: false });
    await story.until("it is merged", merged(story, "retry"));
  },
);

test("without a test command nothing merges until the workspace waives the checks", async () => {
  const story = await tell({ workspace: { commands: {} } });
  await story.projects("retry");
  await story.minutes(6 * 60);
  expect(story.phase("retry")).not.toBe("Done");
  expect(story.condition("Workspace", "workspace", "ChecksConfigured")).toMatchObject({
    status: "False",
    reason: "NoTestCommand",
  });
  await story.patch("Workspace", "workspace", { checks: "None" });
  if (story.escalation("ReviewDeadlock")?.status?.state === "Open") await story.resolve("Rework");
  await story.until("it is merged", merged(story, "retry"));
});

test("while the baseline fails only what mends it is claimed", async () => {
  const story = await tell();
  story.world.repository.userCommits({ "src/file-1.ts": `${BROKEN} by the user` });
  await story.minutes(10);
  await story.projects("other");
  await story.minutes(60);
  expect(story.phase("other")).toBe("Queued");
  expect(story.condition("Workspace", "workspace", "Ready")).toMatchObject({
    status: "False",
    reason: "BaselineFailing",
  });
  await story.project("mend", {}, { [FIXES_BASELINE_LABEL]: "true" });
  await story.until("the baseline is mended", merged(story, "mend"));
  await story.until("the other is merged", merged(story, "other"));
});

test("a project that would cost more than is left is passed over until there is more", async () => {
  const story = await tell();
  const { api, money } = story.world;
  const first = ["a", "b", "c", "untold"];
  await story.projects(...first);
  await story.until("they are merged", () => first.every((name) => merged(story, name)()), 12);
  const spent = (await money.cost({})) ?? 0;
  await story.patch("Budget", "all", { daily: { usd: spent / 1e9 + 0.2 } });
  await story.minutes(15);
  // What one of them has cost was never told: it did not cost nothing.
  const { costUSD: _, costTokens: __, ...status } = story.the("Project", "untold").status ?? {};
  await api.updateStatus("Project", { ...story.the("Project", "untold"), status });
  await story.projects("d");
  await story.minutes(60);
  expect(story.phase("d")).toBe("Queued");
  expect(story.the("Project", "d").status?.estimate?.projects).toBe(3);
  expect(story.condition("Project", "d", "Affordable")).toMatchObject({
    status: "False",
    reason: "TooLittleLeft",
  });
  // While the gateway can't be asked, what is left is unknown, and not enough.
  const { account, standing } = money;
  story.operator.crash();
  Object.assign(money, { account: async () => undefined, standing: async () => undefined });
  story.operator.start();
  await story.minutes(60);
  expect(story.phase("d")).toBe("Queued");
  story.operator.crash();
  Object.assign(money, { account, standing });
  story.operator.start();
  await story.patch("Budget", "all", { daily: { usd: 10_000 } });
  await story.until("it is merged", merged(story, "d"));
});

test.each([1, 2, 3, 4, 5])(
  "of two Projects for which the money of one is left one begins, in order %i of things",
  async (seed) => {
    const story = await tell({ seed, builders: 3 });
    await story.projects("a", "b", "c");
    await story.until("three are merged", () => ["a", "b", "c"].every((name) => merged(story, name)()), 12);
    await story.minutes(15);
    const costs = ["a", "b", "c"].map((name) => story.the("Project", name).status?.costUSD ?? 0);
    const spent = ((await story.world.money.cost({})) ?? 0) / 1e9;
    const [, median = 0] = costs.sort((one, other) => one - other);
    await story.patch("Budget", "all", { daily: { usd: spent + 1.9 * median } });
    // Each is one agent's alone, so that both are claimed at the same moment, once the pause is over.
    await story.patch("Workspace", "workspace", { mode: "Paused" });
    await story.project("d", { assignedAgent: "agent-1" });
    await story.project("e", { assignedAgent: "agent-2" });
    await story.minutes(5);
    for (const name of ["d", "e"])
      expect(story.condition("Project", name, "Affordable")?.reason).toBe("Fits");
    await story.patch("Workspace", "workspace", { mode: "Running" });
    await story.minutes(3);
    const begun = ["d", "e"].filter((name) => story.the("Project", name).status?.claim !== undefined);
    expect(begun).toHaveLength(1);
    const [waits = ""] = ["d", "e"].filter((name) => !begun.includes(name));
    expect(story.condition("Project", waits, "Affordable")).toMatchObject({
      status: "False",
      reason: "TooLittleLeft",
    });
  },
);

/** A request that takes 20 minutes. */
async function longRequest({ world: { money } }: Story): Promise<unknown> {
  await money.admit({
    ...{ session: "late", run: 1, agent: "agent-1", pool: "builders", project: "a", purpose: "execute" },
    ...{ maxOutputTokens: 8_000, labels: {} },
  });
  return money.ask({
    ...{ session: "late", model: "claude-sonnet-5-5", turn: 1, host: "h", takesMs: 20 * 60_000 },
    request: { messages: [{ role: "user", content: "Go." }], max_tokens: 4_000 },
    signal: new AbortController().signal,
  });
}

/** Messages of the alerts that people were told. */
async function alertsIn({ world: { api } }: Story): Promise<string[]> {
  const { items } = await api.list("Event");
  return items.flatMap(({ reason, message }) => (reason === "BudgetAlert" ? [message ?? ""] : []));
}

test("what was spent in a day's last minutes is told the next day, once, though nobody looked meanwhile", async () => {
  const story = await tell();
  const { money, api, scheduler } = story.world;
  // The clock of the simulation began at eight.
  await story.minutes(15 * 60);
  const answered = longRequest(story);
  await story.minutes(1);
  story.operator.crash();
  const past = scheduler.world.clock.sleep(90 * 60_000);
  await story.minutes(30);
  expect(await answered).toMatchObject({ is: "answered", status: 200 });
  const spentUSD = ((await money.cost({})) ?? 0) / 1e9;
  await story.patch("Budget", "all", { daily: { usd: spentUSD / 0.8 } });
  await story.minutes(65);
  await past;
  // At first the gateway can't be asked of the day that is over: unknown is not nothing.
  const closedWindow = money.closedWindow.bind(money);
  let unanswered = 2;
  money.closedWindow = async (...which) => {
    unanswered -= 1;
    return unanswered < 0 ? await closedWindow(...which) : undefined;
  };
  story.operator.start();
  await story.minutes(5);
  story.operator.crash();
  story.operator.start();
  await story.minutes(30);
  const told = (await api.list("Event")).items.filter(({ reason }) => reason === "BudgetAlert");
  expect(told.map(({ message, count }) => [message, count])).toEqual([
    ["75 % of the limit for 2026-01-05 are spent.", 1],
  ]);
  expect(story.the("Budget", "all").status?.alerts ?? []).toEqual([]);
});

test("what a request spends that began before midnight and ends after it is told of the day that paid for it", async () => {
  const overMidnight = async (usd?: number): Promise<{ story: Story; spentUSD: number }> => {
    const story = await tell();
    await story.minutes(15 * 60 + 50);
    const answered = longRequest(story);
    await story.minutes(1);
    if (usd !== undefined) await story.patch("Budget", "all", { daily: { usd } });
    await story.minutes(30);
    expect(await answered).toMatchObject({ is: "answered", status: 200 });
    return { story, spentUSD: ((await story.world.money.cost({})) ?? 0) / 1e9 };
  };
  const { spentUSD } = await overMidnight();
  const { story } = await overMidnight(spentUSD / 0.8);
  expect(story.the("Budget", "all").status?.daily).toMatchObject({ window: "2026-01-06", spentUSD: 0 });
  expect(await alertsIn(story)).toEqual(["75 % of the limit for 2026-01-05 are spent."]);
});

test("what was spent in a month that is over is held against the limit of months, not of days", async () => {
  const story = await tell();
  const { api, money } = story.world;
  await story.patch("Budget", "all", { daily: { usd: 10_000 }, monthly: { usd: 100 } });
  await story.minutes(5);
  story.operator.crash();
  // As of the last look before the month was over.
  const budget = story.the("Budget", "all");
  const monthly = { ...budget.status?.monthly, window: "2025-12" };
  await api.updateStatus("Budget", { ...budget, status: { ...budget.status, monthly } });
  const closedWindow = money.closedWindow.bind(money);
  money.closedWindow = async (budget, window) => {
    const closed = await closedWindow(budget, window);
    return closed && (window === "2025-12" ? { ...closed, spent: 80e9 } : closed);
  };
  story.operator.start();
  await story.minutes(5);
  expect(await alertsIn(story)).toEqual(["75 % of the limit for 2025-12 are spent."]);
});

test("an alert that could not be told at first is told by a later look, once", async () => {
  const story = await tell();
  const { api, money } = story.world;
  const answered = longRequest(story);
  await story.minutes(30);
  expect(await answered).toMatchObject({ is: "answered", status: 200 });
  const create = api.create.bind(api);
  let refusals = 2;
  Object.assign(api, {
    create: async (...args: Parameters<typeof create>) => {
      const object: object = args[1];
      const isAlert = "reason" in object && object.reason === "BudgetAlert";
      if (isAlert && refusals-- > 0) throw new TransientError("Unreachable", "The API does not answer.");
      return create(...args);
    },
  });
  story.operator.crash();
  story.operator.start();
  await story.patch("Budget", "all", { daily: { usd: ((await money.cost({})) ?? 0) / 1e9 / 0.8 } });
  await story.minutes(60);
  expect(await alertsIn(story)).toEqual(["75 % of the limit for 2026-01-05 are spent."]);
});

test("a Budget that is being deleted is in force no more, however long somebody holds it", async () => {
  const story = await tell();
  const { api } = story.world;
  await story.patch("Budget", "all", { daily: { usd: 0.001 } });
  await story.minutes(1);
  expect(await longRequest(story)).toMatchObject({ is: "refused", reason: "BudgetExceeded" });
  const key = { namespace: "default", name: "all" };
  await api.patch("Budget", key, { metadata: { finalizers: ["example.com/audit"] } });
  await api.delete("Budget", key);
  await story.minutes(1);
  expect(story.the("Budget", "all").metadata).toHaveProperty("deletionTimestamp");
  // It was the only one: with none nothing may be spent.
  expect(await longRequest(story)).toMatchObject({ is: "refused", reason: "NoBudget" });
});

test("a limit that the gateway could not be told at first is in force once it can be", async () => {
  const story = await tell();
  const { money } = story.world;
  const setBudgets = money.setBudgets.bind(money);
  let refusals = 2;
  money.setBudgets = async (...budgets) => {
    if (refusals-- > 0) throw new TransientError("GatewayUnreachable", "The gateway does not answer.");
    await setBudgets(...budgets);
  };
  story.operator.crash();
  await story.patch("Budget", "all", { daily: { usd: 0.001 } });
  story.operator.start();
  await story.minutes(10);
  expect(await longRequest(story)).toMatchObject({ is: "refused", reason: "BudgetExceeded" });
});

test("a Budget in tokens alone holds back in tokens what needs more than is left", async () => {
  const story = await tell();
  await story.projects("a", "b", "c");
  await story.until("three are merged", () => ["a", "b", "c"].every((name) => merged(story, name)()), 12);
  const { tokens = 0 } = (await story.world.money.spent({})) ?? {};
  await story.patch("Budget", "all", { daily: { usd: null, tokens: tokens + 10_000 } });
  await story.minutes(15);
  await story.projects("d");
  await story.minutes(60);
  expect(story.phase("d")).toBe("Queued");
  const condition = story.condition("Project", "d", "Affordable");
  expect(condition).toMatchObject({ status: "False", reason: "TooLittleLeft" });
  expect(condition?.message).toMatch(
    /^It needs about \d+, \d+ left until 00:00: tokens, daily limit of Budget all \(\d+ to \d+ in 50 % of cases, from 3 finished Projects\)\.$/,
  );
  // Nothing was promised to it: with the next day it begins.
  await story.until("it is worked on", () => story.works("d"), 24);
});

test("a night without a network costs no Project anything: it is said, nobody is asked, and all go on by themselves", async () => {
  const story = await tell({ builders: 2, temper: { script: endless("execute") } });
  await story.projects("a", "b");
  await story.minutes(10);
  const { faults } = story.world.upstream;
  const agents = ["agent-1", "agent-2"];
  const ready = (name: string) => story.condition("Agent", name, "Ready");
  faults.unreachable = 1;
  await story.until("it is said", () => agents.every((name) => ready(name)?.status === "False"), 0.5);
  for (const name of agents)
    expect(ready(name)).toMatchObject({ reason: "UpstreamUnavailable", message: "no connection" });
  const live = (name: string) => story.the("Agent", name).status?.session?.liveSeconds ?? 0;
  const since = agents.map((name) => ready(name)?.lastTransitionTime);
  const before = agents.map(live);
  await story.minutes(8 * 60);
  expect(agents.map((name) => ready(name)?.lastTransitionTime)).toEqual(since);
  expect(story.world.api.objects("Escalation")).toEqual([]);
  expect(agents.map((name) => story.the("Agent", name).status?.failures ?? 0)).toEqual([0, 0]);
  // What had been live before is told up to ten minutes later.
  for (const [at, name] of agents.entries()) expect(live(name) - (before[at] ?? 0)).toBeLessThan(600);

  faults.unreachable = 0;
  await story.until("both go on", () => agents.every((name) => ready(name)?.status === "True"), 0.1);
  expect([story.phase("a"), story.phase("b")]).toEqual(["Working", "Working"]);
});

test("a used up account pauses the fleet until it opens again: nothing fails, is claimed, or is asked meanwhile", async () => {
  const story = await tell({ builders: 2, temper: { script: endless("execute") } });
  await story.projects("a", "b");
  await story.minutes(30);
  const sessions = story.world.sessions.hosts().map(({ spec }) => spec.id);
  expect(sessions).toHaveLength(2);
  story.world.money.useUp(3 * 3_600_000);
  await story.until("both are paused", () => story.world.sessions.hosts().length === 0, 0.5);
  await story.projects("c");
  await story.minutes(5);
  const asked = story.world.upstream.bills.size;
  const live = (name: string) => story.the("Agent", name).status?.session?.liveSeconds;
  const before = [live("agent-1"), live("agent-2")];
  expect(story.condition("Workspace", "workspace", "UsageLimited")?.status).toBe("True");
  expect(story.condition("Workspace", "workspace", "Ready")).toMatchObject({
    status: "False",
    reason: "UsageLimited",
    message: expect.stringMatching(/until (\S+ )?\d\d:\d\d \(UTC\)/),
  });
  for (const name of ["agent-1", "agent-2"])
    expect(story.condition("Agent", name, "Ready")?.reason).toBe("UsageLimited");
  // An operator that starts meanwhile holds them all the same.
  story.operator.crash();
  story.operator.start();
  await story.minutes(120);
  expect(story.world.sessions.hosts()).toEqual([]);
  expect(story.world.upstream.bills.size).toBe(asked);
  expect(story.phase("c")).toBe("Queued");
  expect([live("agent-1"), live("agent-2")]).toEqual(before);

  await story.until("both go on", () => story.world.sessions.hosts().length === 2, 1.5);
  expect(
    story.world.sessions
      .hosts()
      .map(({ spec }) => spec.id)
      .sort(),
  ).toEqual(sessions.sort());
  await story.minutes(2);
  expect(story.condition("Workspace", "workspace", "Ready")?.status).toBe("True");
  for (const name of ["agent-1", "agent-2"]) expect(story.the("Agent", name).status?.failures ?? 0).toBe(0);
  expect(story.escalation("Stuck")).toBeUndefined();
});

test("while nobody can say whether a used up account may be used again, nothing is started, nor is it said to be open", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("a");
  await story.minutes(30);
  const { money, sessions } = story.world;
  const answer = money.usageLimits.bind(money);
  const restartWith = (usageLimits: typeof answer): void => {
    story.operator.crash();
    money.usageLimits = usageLimits;
    story.operator.start();
  };
  const begins = () => sessions.hosts().length > 0;
  const isSaid = () => story.condition("Workspace", "workspace", "UsageLimited")?.status === "True";
  restartWith(async () => undefined);
  money.useUp(3 * 3_600_000);
  await story.until("it is paused", () => !begins(), 0.5);
  await expect(story.until("it is started", begins, 0.5)).rejects.toThrow("It ended by time");
  restartWith(answer);
  await story.until("it is said", isSaid, 0.5);
  restartWith(async () => undefined);
  await expect(story.until("it is open", () => !isSaid() || begins(), 0.5)).rejects.toThrow(
    "It ended by time",
  );
  restartWith(answer);
  await story.until("it goes on", begins, 3);
});

test("a clock that is wrong over midnight is told of once, not with every second", async () => {
  const story = await tell();
  await story.projects("a");
  await story.minutes(5);
  story.world.scheduler.jumpWall(20 * 3_600_000);
  let told = 0;
  story.world.api.onChange(({ object }) => {
    if (object?.kind === "Budget") told += 1;
  });
  await story.minutes(120);
  expect(story.condition("Budget", "all", "Ready")?.reason).toBe("ClockUnconfirmed");
  expect(told).toBeLessThan(40);
});

test("a limit of a week is asked about every six hours, by one request", async () => {
  const story = await tell({ builders: 3, temper: { script: endless("execute") } });
  await story.projects("a", "b", "c");
  await story.minutes(30);
  const { money } = story.world;
  money.useUp(7 * 24 * 3_600_000);
  await story.until("all are paused", () => story.world.sessions.hosts().length === 0, 0.5);
  let asked = 0;
  money.events.line = ({ step }) => {
    if (step === "sent") asked += 1;
  };
  await story.minutes(5 * 60);
  expect(asked).toBe(0);
  await story.minutes(90);
  expect(asked).toBe(1);
  expect(story.condition("Workspace", "workspace", "UsageLimited")?.status).toBe("True");
  expect(story.world.sessions.hosts()).toEqual([]);
});

// With 5 and 8 it is raised while the last of them goes on: what was refused under the old limit was noted as under the new one.
test.each([1, 5, 8])(
  "sessions that were refused one after the other all go on once the limit is raised (seed %i)",
  async (seed) => {
    const story = await tell({ seed, builders: 3, usd: 2, temper: { script: endless("execute") } });
    const names = ["one", "two", "three"];
    await story.projects(...names);
    const agents = () => story.world.api.objects("Agent").filter(({ spec }) => spec.role === "Execution");
    await story.until(
      "all are out of budget",
      () => agents().every(({ status }) => status?.state === "Paused"),
      4,
    );
    await story.patch("Budget", "all", { daily: { usd: 10_000 } });
    await story.until("all are at work again", () => names.every((name) => working(story, name)()), 0.2);
  },
);

test("a used up budget pauses what runs without a failure, and a raised one lets it go on", async () => {
  const story = await tell({ usd: 1, temper: { script: endless("execute") } });
  await story.projects("retry");
  await story.until(
    "it is out of budget",
    () => story.the("Agent", "agent-1").status?.budgetMark !== undefined,
    2,
  );
  await story.minutes(60);
  expect(story.condition("Budget", "all", "Exceeded")?.status).toBe("True");
  expect(story.the("Agent", "agent-1").status).toMatchObject({ state: "Paused", failures: 0 });
  const session = story.the("Project", "retry").status?.claim?.session;
  await story.patch("Budget", "all", { daily: { usd: 1000 } });
  await story.until("it goes on", working(story, "retry"), 0.5);
  expect(story.the("Project", "retry").status?.claim?.session).toBe(session);
});

test("a Budget that holds for one pool and is used up keeps no other from spending: both were said to be used up", async () => {
  const story = await tell({ usd: 10_000, temper: { script: endless("execute") } });
  const draft = declare.budget(1, "builders");
  const selector = { matchLabels: { [POOL_LABEL]: "builders" } };
  await story.world.api.create("Budget", { ...draft, spec: { ...draft.spec, selector } });
  await story.projects("retry");
  await story.until(
    "its builder is out of budget",
    () => story.the("Agent", "agent-1").status?.state === "Paused",
    4,
  );
  await story.minutes(10);
  expect(story.condition("Budget", "builders", "Exceeded")?.status).toBe("True");
  expect(story.condition("Budget", "all", "Exceeded")?.status).toBe("False");
  expect(story.condition("Agent", "agent-2", "Ready")?.reason).not.toBe("BudgetExceeded");
  await story.patch("Budget", "builders", { daily: { usd: 1000 } });
  await story.until("the builder goes on", working(story, "retry"), 0.2);
});

test("scaling down takes idle agents first", async () => {
  const story = await tell({ builders: 3, temper: { script: endless("execute") } });
  // Of idle ones the highest number goes first.
  await story.project("one", { assignedAgent: "agent-3" });
  await story.until("it is worked on", working(story, "one"));
  await story.patch("AgentPool", "builders", { replicas: 1 });
  await story.until("one is left", () => story.world.api.objects("Agent").length === 2, 0.5);
  expect(story.world.api.objects("Agent").map(({ metadata }) => metadata.name)).toContain("agent-3");
  expect(story.works("one")).toBe(true);
});

test("an agent that is scaled away at work saves what it has first", async () => {
  const story = await tell({ builders: 1, temper: { script: endless("execute") } });
  await story.projects("one");
  await story.minutes(40);
  await story.patch("AgentPool", "builders", { replicas: 0 });
  await story.until("it is gone", () => story.world.api.object("Agent", "agent-1") === undefined, 0.5);
  const { claim, head, branch = "", workedSeconds = 0 } = story.the("Project", "one").status ?? {};
  expect(claim).toBeUndefined();
  expect(story.world.repository.branch(branch)).toBe(head);
  expect(workedSeconds).toBeGreaterThan(1000);
  expect(story.world.repository.quarantined).toEqual([]);
  expect(story.phase("one")).toBe("Queued");
});

test("work whose checkout can't be seen is not let go before it can", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("one");
  await story.until("it is worked on", working(story, "one"));
  await story.minutes(20);
  const { repository } = story.world;
  const saveWork = repository.saveWork.bind(repository);
  let unseen = 3;
  story.operator.crash();
  repository.saveWork = async (...what) => {
    unseen -= 1;
    return unseen < 0 ? await saveWork(...what) : { is: "unknown", why: "It is locked." };
  };
  story.operator.start();
  await story.patch("Project", "one", { skip: true });
  await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined);
  expect(unseen).toBeLessThan(0);
  const { head, branch = "" } = story.the("Project", "one").status ?? {};
  expect(head).toBeDefined();
  expect(repository.branch(branch)).toBe(head);
  expect(repository.quarantined).toEqual([]);
});

test("work that can't be collected at first is not let go before it is", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("one");
  await story.until("it is worked on", working(story, "one"));
  await story.minutes(20);
  const { repository } = story.world;
  const collect = repository.collect.bind(repository);
  let failures = 3;
  story.operator.crash();
  repository.collect = async (...what) => {
    failures -= 1;
    if (failures >= 0) throw new TransientError("GitFailed", "git exited with 128: No space left on device");
    return collect(...what);
  };
  story.operator.start();
  await story.patch("Project", "one", { skip: true });
  await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined);
  expect(failures).toBeLessThan(0);
  const { head, branch = "" } = story.the("Project", "one").status ?? {};
  expect(head).toBeDefined();
  expect(repository.branch(branch)).toBe(head);
  expect(repository.quarantined).toEqual([]);
});

/**
 * In another life of the operator, what `harm` does to a checkout comes right before it is collected, so many times.
 *
 * @returns how many of them are left; below 0 once it was collected unharmed
 */
function beforeCollecting(
  { operator, world: { repository } }: Story,
  times: number,
  harm: (claim: GitClaim) => unknown,
): () => number {
  const collect = repository.collect.bind(repository);
  let left = times;
  operator.crash();
  repository.collect = async (claim, branch) => {
    left -= 1;
    if (left >= 0) await harm(claim);
    return collect(claim, branch);
  };
  operator.start();
  return () => left;
}

test("work that was handed over in a checkout that is lost before it is collected is done again", async () => {
  const story = await tell();
  await story.projects("one");
  const { repository } = story.world;
  // As a person who empties the folder of state.
  const left = beforeCollecting(story, 1, (claim) => repository.release(claim, "execute"));
  await story.until("it is done", () => story.phase("one") === "Done");
  expect(left()).toBeLessThan(0);
  expect(story.the("Project", "one").status?.submission).toMatchObject({ claim: 1, run: 2 });
});

test("work that was handed over in a checkout that is damaged before it is collected is done again, and the checkout put aside", async () => {
  const story = await tell();
  await story.projects("one");
  const { repository } = story.world;
  const left = beforeCollecting(story, 1, (claim) => repository.damage(claim));
  await story.until("it is done", () => story.phase("one") === "Done");
  expect(left()).toBeLessThan(0);
  expect(story.the("Project", "one").status?.submission).toMatchObject({ claim: 1, run: 2 });
  expect(repository.quarantined).toHaveLength(1);
});

test("work whose checkout is damaged twice in a row waits for a person, and goes on in another once it was let go", async () => {
  const story = await tell();
  await story.projects("one");
  const { repository } = story.world;
  beforeCollecting(story, 2, (claim) => repository.damage(claim));
  await story.until("it is worked on", () => story.phase("one") === "Working");
  await story.until("it waits", () => {
    const { agent = "agent-1" } = story.the("Project", "one").status?.claim ?? {};
    return story.condition("Agent", agent, "Ready")?.reason === "CheckoutDamaged";
  });
  await story.minutes(60);
  expect(story.the("Project", "one").status).toMatchObject({
    phase: "Working",
    claim: { number: 1, run: 2 },
  });
  await story.patch("Project", "one", { skip: true });
  await story.until("it is let go", () => repository.quarantined.length === 2);
  await story.patch("Project", "one", { skip: false });
  await story.until("it is done", () => story.phase("one") === "Done");
});

test("a checkout that is lost after a review is made again at what was reviewed", async () => {
  const story = await tell({ temper: { approves: 0 } });
  await story.projects("one");
  await story.until("changes are asked for", () => story.phase("one") === "ChangesRequested");
  const { head: reviewed = "" } = story.the("Project", "one").status ?? {};
  const { number = 0, agent = "" } = story.the("Project", "one").status?.claim ?? {};
  story.operator.crash();
  await story.world.repository.release({ project: "one", number, agent }, "execute");
  story.operator.start();
  await story.until("it is reviewed again", () => story.the("Project", "one").status?.submission?.run === 2);
  const { head = "" } = story.the("Project", "one").status ?? {};
  expect(story.world.repository.objects.isAncestor(reviewed, head)).toBe(true);
});

test("work in a checkout that is damaged can be taken from its agent, and the checkout is put aside", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("one");
  await story.until("it is worked on", working(story, "one"));
  const { repository } = story.world;
  const { number = 0, agent = "" } = story.the("Project", "one").status?.claim ?? {};
  repository.damage({ project: "one", number, agent });
  await story.patch("Project", "one", { skip: true });
  await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined);
  await story.until("the checkout is put aside", () => repository.quarantined.length === 1, 0.1);
  expect(story.phase("one")).toBe("Skipped");
});

describe("what is taken away in work is let go, and its branch kept", () => {
  async function inWork(): Promise<Story> {
    const story = await tell({ temper: { script: endless("execute") } });
    await story.projects("one");
    await story.minutes(40);
    return story;
  }
  test("by skip, and taken up again without it", async () => {
    const story = await inWork();
    await story.patch("Project", "one", { skip: true });
    await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined, 0.5);
    const { head, branch = "" } = story.the("Project", "one").status ?? {};
    expect(story.world.repository.branch(branch)).toBe(head);
    expect(story.phase("one")).toBe("Skipped");
    await story.patch("Project", "one", { skip: false });
    await story.until("it is worked on", working(story, "one"), 0.5);
    expect(story.the("Project", "one").status?.claim?.from).toBe(head);
  });
  test("and its session may spend no more before its work is saved", async () => {
    const story = await inWork();
    const { repository, money } = story.world;
    const session = story.the("Project", "one").status?.claim?.session ?? "";
    const steps: string[] = [];
    const save = repository.saveWork.bind(repository);
    repository.saveWork = async (...args) => {
      steps.push("saved");
      return save(...args);
    };
    const dismiss = money.dismiss.bind(money);
    money.dismiss = async (id) => {
      if (id === session) steps.push("dismissed");
      return dismiss(id);
    };
    story.operator.crash();
    story.operator.start();
    await story.patch("Project", "one", { skip: true });
    await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined, 0.5);
    expect(steps.slice(-2)).toEqual(["dismissed", "saved"]);
  });
  test("also where its Project is written whenever its work is saved", async () => {
    const story = await inWork();
    const { repository, api } = story.world;
    const save = repository.saveWork.bind(repository);
    let saved = 0;
    repository.saveWork = async (...args) => {
      saved += 1;
      const labels = { "example.com/saved": String(saved) };
      await api.patch("Project", { namespace: "default", name: "one" }, { metadata: { labels } });
      return save(...args);
    };
    // The next life of the operator meets the repository that writes.
    story.operator.crash();
    story.operator.start();
    await story.patch("Project", "one", { skip: true });
    await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined, 0.5);
    const { head, branch = "" } = story.the("Project", "one").status ?? {};
    expect(story.world.repository.branch(branch)).toBe(head);
  });
  test("also where the operator dies as soon as the checkout is gone: what was in it is told before", async () => {
    const story = await inWork();
    const { repository } = story.world;
    const release = repository.release.bind(repository);
    let died = false;
    repository.release = async (...args) => {
      const done = await release(...args);
      if (!died) story.operator.crash();
      died = true;
      return done;
    };
    story.operator.crash();
    story.operator.start();
    await story.patch("Project", "one", { skip: true });
    await story.until("the operator dies", () => died, 0.5);
    story.operator.start();
    await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined, 0.5);
    const { head, branch = "" } = story.the("Project", "one").status ?? {};
    expect(head).toBeDefined();
    expect(story.world.repository.branch(branch)).toBe(head);
  });
  test("but not where another has claimed it while the work was saved: that claim stays", async () => {
    const story = await tell({ builders: 2, temper: { script: endless("execute") } });
    await story.projects("one");
    await story.until("it is worked on", working(story, "one"));
    const { repository, api, scheduler } = story.world;
    const { clock } = scheduler.incarnation("a slow disk");
    const { claim } = story.the("Project", "one").status ?? {};
    const other = claim?.agent === "agent-1" ? "agent-2" : "agent-1";
    const agentUID = story.the("Agent", other).metadata.uid;
    const theirs = { ...claim, agent: other, agentUID, number: 2, session: "theirs" };
    const save = repository.saveWork.bind(repository);
    let changes = [{ claim: null }, { claimNumber: 2, claim: theirs }];
    repository.saveWork = async (...args) => {
      const key = { namespace: "default", name: "one" };
      for (const status of changes) await api.patch("Project", key, { status }, { subresource: "status" });
      changes = [];
      // For longer than the clock moves on over tasks that are ready: the operator's caches show the other's claim by then.
      await clock.sleep(60_000);
      return save(...args);
    };
    story.operator.crash();
    story.operator.start();
    await story.patch("Project", "one", { assignedAgent: other });
    await story.until("the other works on it", () =>
      story.world.sessions.hosts().some(({ spec }) => spec.agent === other),
    );
    await story.minutes(5);
    expect(story.the("Project", "one").status?.claim).toMatchObject({ number: 2, session: "theirs" });
  });
  test("by deletion", async () => {
    const story = await inWork();
    const branch = story.the("Project", "one").status?.claim?.branch ?? "";
    await story.world.api.delete("Project", { namespace: "default", name: "one" });
    await story.until("it is gone", () => story.world.api.object("Project", "one") === undefined, 0.5);
    expect(story.world.repository.branch(branch)).toMatch(/^[0-9a-f]{40}$/);
    expect(story.world.sessions.hosts()).toEqual([]);
    await story.until("the agent is idle", () => story.the("Agent", "agent-1").status?.state === "Idle", 0.5);
  });
});

test("a Project that was torn out in work leaves neither a session nor its checkout behind", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("one");
  await story.minutes(40);
  const { api, repository, sessions } = story.world;
  const { number = 0, agent = "" } = story.the("Project", "one").status?.claim ?? {};
  const key = { namespace: "default", name: "one" };
  await api.patch("Project", key, { metadata: { finalizers: null } });
  await api.delete("Project", key);
  await story.until("it is forgotten", () => story.the("Agent", agent).status?.session === undefined, 0.5);
  expect(sessions.hosts()).toEqual([]);
  expect(await repository.checkoutState({ project: "one", number, agent }, "execute")).toEqual({
    is: "absent",
  });
});

test("a Project that is deleted goes as soon as the agent that can't let go of it is torn out, and leaves no session", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("one");
  await story.until("it is worked on", working(story, "one"));
  const { api, repository, sessions } = story.world;
  const { agent = "", session } = story.the("Project", "one").status?.claim ?? {};
  story.operator.crash();
  repository.saveWork = async () => ({ is: "unknown", why: "The disk is away." });
  story.operator.start();
  await api.delete("Project", { namespace: "default", name: "one" });
  // No other of its name comes after it.
  await story.patch("AgentPool", "builders", { replicas: 0 });
  await story.minutes(30);
  expect(story.the("Project", "one").status?.claim?.session).toBe(session);
  expect(story.the("Agent", agent).metadata.deletionTimestamp).toBeDefined();
  await api.patch("Agent", { namespace: "default", name: agent }, { metadata: { finalizers: null } });
  await story.until("it is gone", () => api.object("Project", "one") === undefined, 0.02);
  await story.minutes(6);
  expect(sessions.hosts()).toEqual([]);
});

test("more than ten agents over all pools are not made, and the pool says so", async () => {
  const story = await tell({ builders: 9, reviewers: 4 });
  await story.minutes(10);
  expect(story.world.api.objects("Agent")).toHaveLength(10);
  const limited = ["builders", "reviewers"].filter(
    (pool) => story.condition("AgentPool", pool, "Ready")?.reason === "AgentLimit",
  );
  expect(limited).toHaveLength(1);
});

describe("an emergency stop ends every session at once, and resuming goes on with the same ones", () => {
  async function manyAtWork(): Promise<Story> {
    const story = await tell({ builders: 3, temper: { script: endless("execute") } });
    await story.projects("a", "b", "c");
    await story.minutes(30);
    expect(story.world.sessions.hosts()).toHaveLength(3);
    return story;
  }
  async function resumes(story: Story, sessions: readonly string[]): Promise<void> {
    await story.minutes(60);
    expect(story.world.sessions.hosts()).toEqual([]);
    await story.patch("Workspace", "workspace", { mode: "Running" });
    await story.until("all go on", () => story.world.sessions.hosts().length === 3, 0.5);
    expect(
      story.world.sessions
        .hosts()
        .map(({ spec }) => spec.id)
        .sort(),
    ).toEqual([...sessions].sort());
    for (const name of ["agent-1", "agent-2", "agent-3"])
      expect(story.the("Agent", name).status?.failures ?? 0).toBe(0);
  }
  const ids = (story: Story): string[] => story.world.sessions.hosts().map(({ spec }) => spec.id);

  test("by the workspace's mode", async () => {
    const story = await manyAtWork();
    const sessions = ids(story);
    await story.patch("Workspace", "workspace", { mode: "Stopped" });
    await story.until("nothing runs", () => story.world.sessions.hosts().length === 0, 0.01);
    await resumes(story, sessions);
  });

  test("by the latch while no operator lives", async () => {
    const story = await manyAtWork();
    const sessions = ids(story);
    story.operator.crash();
    await story.world.latch.engage();
    expect(story.world.sessions.hosts()).toEqual([]);
    story.operator.start();
    await story.until("it says so", () => story.the("Workspace", "workspace").spec.mode === "Stopped", 0.1);
    await resumes(story, sessions);
  });
});

test("a stop that was released while no operator lived is over for all once the next one runs: no check did otherwise", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  const { latch } = story.world;
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  await story.minutes(5);
  story.operator.crash();
  await latch.release();
  story.operator.start();
  await story.until("it goes on", working(story, "retry"), 0.5);
  await story.minutes(1);
  expect(await latch.look()).toEqual({ engaged: undefined, released: undefined });
});

describe("a stop that follows `bosun resume` at once is not taken for the one before", () => {
  /** Minutes that the operator has between two steps. */
  const gaps = [0, 1];
  /** A person stops, another resumes as `bosun resume` does, and a third stops again. */
  const rows = gaps.flatMap((released) =>
    gaps.flatMap((running) => [true, false].map((lives) => ({ released, running, lives }))),
  );
  test.each(rows)(
    "$released min after the release, $running min after the mode, operator alive: $lives",
    async ({ released, running, lives }) => {
      const story = await tell({ temper: { script: endless("execute") } });
      await story.projects("retry");
      await story.until("it is worked on", working(story, "retry"));
      await story.patch("Workspace", "workspace", { mode: "Stopped" });
      await story.minutes(5);
      if (!lives) story.operator.crash();

      await story.world.latch.release();
      await story.minutes(released);
      await story.patch("Workspace", "workspace", { mode: "Running" });
      await story.minutes(running);
      await story.patch("Workspace", "workspace", { mode: "Stopped" });
      if (!lives) story.operator.start();
      await story.minutes(30);

      expect(story.the("Workspace", "workspace").spec.mode).toBe("Stopped");
      expect(await story.world.latch.engaged()).toBe(true);
      expect(story.world.sessions.hosts()).toEqual([]);
      // And it is a stop like any other.
      await story.world.latch.release();
      await story.patch("Workspace", "workspace", { mode: "Running" });
      await story.until("it goes on", working(story, "retry"), 0.5);
    },
  );
});

test("what is handed over while everything is stopped is reviewed once work goes on", async () => {
  const story = await tell();
  await story.projects("retry");
  await story.until("it is handed over", () => story.phase("retry") === "InReview");
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  await story.minutes(30);
  expect(story.phase("retry")).toBe("InReview");
  expect(story.world.api.objects("Review")).toEqual([]);
  await story.patch("Workspace", "workspace", { mode: "Running" });
  await story.until("it is merged", merged(story, "retry"), 2);
});

test("a stop that is released while it is being declared stays released", async () => {
  const story = await tell();
  const { latch, api } = story.world;
  await latch.engage();
  // Between the declaration and everything that follows from it.
  await story.until("it is declared", () => story.the("Workspace", "workspace").spec.mode === "Stopped", 0.1);
  await latch.release();
  await story.minutes(10);
  expect(api.object("Workspace", "workspace")?.spec.mode).toBe("Running");
  expect(await latch.engaged()).toBe(false);
});

test("a stop that begins in the moment in which the mode ends the one before stays in force", async () => {
  const story = await tell();
  const { latch } = story.world;
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  await story.minutes(5);
  const release = latch.release.bind(latch);
  latch.release = async (only) => {
    latch.release = release;
    await latch.engage();
    await release(only);
  };
  // The next life of the operator meets that latch.
  story.operator.crash();
  story.operator.start();
  await story.minutes(5);
  await story.patch("Workspace", "workspace", { mode: "Running" });
  await story.minutes(10);
  expect(await latch.engaged()).toBe(true);
  expect(story.the("Workspace", "workspace").spec.mode).toBe("Stopped");
});

test("a stop that another operator noted while the one before was being engaged is not noted over by that one", async () => {
  const story = await tell();
  const { latch, api } = story.world;
  const [engage, look] = [latch.engage.bind(latch), latch.look.bind(latch)];
  let engagements = 0;
  latch.engage = async () => {
    engagements += 1;
    await engage();
  };
  latch.look = async () => {
    const before = await look();
    if (engagements !== 1) return before;
    engagements += 1;
    await engage();
    const stop = { name: (await look()).engaged ?? "", declared: false };
    const key = { namespace: "default", name: "workspace" };
    await api.patch("Workspace", key, { status: { stop } }, { subresource: "status" });
    return before;
  };
  story.operator.crash();
  story.operator.start();
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  const noted: (string | undefined)[] = [];
  await story.until("the second stop is noted as declared", () => {
    const { stop } = story.the("Workspace", "workspace").status ?? {};
    if (stop?.name !== noted.at(-1)) noted.push(stop?.name);
    return stop?.declared && stop.name === "stop 2";
  });
  expect(noted).toEqual(["stop 2"]);
});

test("a latch that somebody touches while the mode is Paused is a stop, and stays in force", async () => {
  const story = await tell();
  await story.patch("Workspace", "workspace", { mode: "Paused" });
  await story.minutes(5);
  await story.world.latch.engage();
  await story.minutes(10);
  expect(story.world.latch.isEngaged).toBe(true);
  expect(story.the("Workspace", "workspace").spec.mode).toBe("Stopped");
});

test("a mode that comes while the stop before it is being engaged ends that stop", async () => {
  const story = await tell();
  const { latch } = story.world;
  const engage = latch.engage.bind(latch);
  latch.engage = async () => {
    latch.engage = engage;
    await engage();
    await story.patch("Workspace", "workspace", { mode: "Running" });
  };
  story.operator.crash();
  story.operator.start();
  await story.minutes(5);
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  await story.minutes(10);
  expect(await latch.engaged()).toBe(false);
  expect(story.the("Workspace", "workspace").spec.mode).toBe("Running");
});

test("agents that looked while a stop was being ended go on, although no Workspace ever said that it was in force", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  const { latch, scheduler } = story.world;
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  const [engage, release] = [latch.engage.bind(latch), latch.release.bind(latch)];
  latch.engage = async () => {
    latch.engage = engage;
    await engage();
    await story.patch("Workspace", "workspace", { mode: "Running" });
  };
  latch.release = async (only) => {
    await scheduler.world.clock.sleep(60_000);
    await release(only);
  };
  // The next life of the operator meets that latch.
  story.operator.crash();
  story.operator.start();
  await story.until("it is worked on again", working(story, "retry"));
  await story.patch("Workspace", "workspace", { mode: "Stopped" });
  await story.until("its host is ended", () => story.world.sessions.hosts().length === 0, 0.1);
  await story.until("it goes on", working(story, "retry"), 0.1);
});

test("sessions go on while the operator is dead, and what they did is taken in by the next", async () => {
  const story = await tell();
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  story.operator.crash();
  await story.minutes(90);
  expect(story.works("retry")).toBe(false);
  story.operator.start();
  await story.until("it is merged", merged(story, "retry"));
  expect(story.the("Project", "retry").status?.submission?.run).toBe(1);
});

test("a session that was started by an operator which died at once is watched by the next", async () => {
  const script = ({ project }: { project: string }) =>
    project === "silent" ? { ends: "Silent" as const, turns: 3 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("silent");
  await story.until("its host lives", working(story, "silent"));
  story.operator.crash();
  expect(story.the("Agent", "agent-1").status?.session).toBeUndefined();
  story.operator.start();
  await story.until("it is found stuck", () => story.escalation("Stuck"), 2);
});

test("a session that ended before an operator could report its start is named, so that its checkout is found", async () => {
  const story = await tell();
  await story.projects("retry");
  await story.until("its host lives", working(story, "retry"));
  story.operator.crash();
  expect(story.the("Agent", "agent-1").status?.session).toBeUndefined();
  await story.minutes(90);
  story.operator.start();
  await story.until(
    "it is handed over",
    () => story.the("Project", "retry").status?.submission !== undefined,
    2,
  );
  const { session } = story.the("Project", "retry").status?.claim ?? {};
  await story.until("it is named", () => story.the("Agent", "agent-1").status?.session?.id === session, 1);
});

test("an author whose sessions end badly three times is freed and a person is asked", async () => {
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "execute" ? { ends: "Crash" as const, turns: 1 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("retry");
  await story.until("a person is asked", () => story.escalation("SessionFailing"), 3);
  await story.until("the agent is idle", () => story.the("Agent", "agent-1").status?.state === "Idle", 0.5);
});

test("a reviewer whose sessions end badly gives the review back, and the second time a person is asked", async () => {
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "review" ? { ends: "Crash" as const, turns: 1 } : undefined;
  const story = await tell({ reviewers: 2, temper: { script } });
  const { sessions, repository, money, api } = story.world;
  const checkouts = new Map<string, string>();
  const isAsked = (): unknown => {
    for (const { spec } of sessions.hosts())
      if (spec.purpose === "review") checkouts.set(spec.id, spec.checkout);
    return story.escalation("ReviewTimedOut");
  };
  const spending = new Set<string>();
  const [admit, dismiss] = [money.admit.bind(money), money.dismiss.bind(money)];
  money.admit = (grant) => {
    spending.add(grant.session);
    return admit(grant);
  };
  money.dismiss = (session) => {
    spending.delete(session);
    return dismiss(session);
  };
  story.operator.crash();
  story.operator.start();
  await story.projects("retry");
  await story.until("a person is asked", isAsked, 6);
  expect(api.objects("Review")[0]?.status?.claimNumber).toBe(2);
  expect(checkouts.size).toBe(2);
  for (const [session, path] of checkouts) {
    expect(repository.checkoutAt(path)).toBeUndefined();
    expect(spending).not.toContain(session);
  }
});

test("a restart that a person asks for is no failure, and goes on with the same session", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("retry");
  await story.minutes(30);
  const [before] = story.world.sessions.hosts();
  await story.patch("Agent", "agent-1", { restartedAt: "2026-01-05T09:00:00Z" });
  await story.until("another host runs", () => {
    const [now] = story.world.sessions.hosts();
    return now !== undefined && now.pid !== before?.pid;
  });
  expect(story.world.sessions.hosts()[0]?.spec.id).toBe(before?.spec.id);
  await story.minutes(30);
  expect(story.world.sessions.hosts()).toHaveLength(1);
  expect(story.the("Agent", "agent-1").status?.failures ?? 0).toBe(0);
});

/** The Warning Events on an agent, by reason, each with how often it was said. */
async function warnings(story: Story, agent: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const event of (await story.world.api.list("Event")).items) {
    if (event.type !== "Warning" || event.involvedObject?.name !== agent) continue;
    const reason = event.reason ?? "";
    counts[reason] = (counts[reason] ?? 0) + (event.count ?? 1);
  }
  return counts;
}
const readyReason = (story: Story, agent: string) => story.condition("Agent", agent, "Ready")?.reason;

test("a host that hangs is late after a minute, lost after two, ended, and its session is resumed by another", async () => {
  let hung = 0;
  const script = ({ purpose }: { purpose: string }) => {
    if (purpose !== "execute" || hung > 0) return undefined;
    hung += 1;
    return { ends: "Hung" as const, turns: 3 };
  };
  const story = await tell({ temper: { script } });
  await story.projects("retry");
  await story.until("it is late", () => readyReason(story, "agent-1") === "HeartbeatLate", 2);
  const [before] = story.world.sessions.hosts();
  const lateMs = story.world.scheduler.elapsedMs;
  await story.until("its host is ended", () => story.world.sessions.hosts().length === 0, 0.1);
  expect(story.world.scheduler.elapsedMs - lateMs).toBeLessThan(70_000);
  await story.until("another host runs", () => story.world.sessions.hosts().length === 1, 0.1);
  const [now] = story.world.sessions.hosts();
  expect(now?.spec.id).toBe(before?.spec.id);
  expect(now?.pid).not.toBe(before?.pid);
  await story.until("retry is merged", merged(story, "retry"));
  expect(await warnings(story, "agent-1")).toEqual({ HeartbeatLate: 1, HeartbeatLost: 1 });
  expect(story.the("Agent", "agent-1").status?.failures ?? 0).toBe(0);
});

test("a Project whose agent's host hangs moves to the agent that it is assigned to, and goes on from the head", async () => {
  const script = ({ purpose, agent }: { purpose: string; agent: string }) =>
    purpose === "execute" && agent === "agent-1" ? { ends: "Hung" as const, turns: 4 } : undefined;
  const story = await tell({ builders: 2, temper: { script } });
  await story.project("retry", { assignedAgent: "agent-1" });
  await story.until("it is late", () => readyReason(story, "agent-1") === "HeartbeatLate", 2);
  await story.patch("Project", "retry", { assignedAgent: "agent-2" });
  await story.until(
    "agent-2 has it",
    () => story.the("Project", "retry").status?.claim?.agent === "agent-2",
    0.2,
  );
  const { from } = story.the("Project", "retry").status?.claim ?? {};
  expect(from).toBeDefined();
  await story.until("retry is merged", merged(story, "retry"));
  const { objects, targetHead } = story.world.repository;
  let commit = objects.get(targetHead).parents[1];
  const history = new Set<string>();
  for (; commit !== undefined; commit = objects.get(commit).parents[0]) history.add(commit);
  expect(history.has(from ?? "")).toBe(true);
});

test("a Project of a paused agent moves to the agent that it is assigned to, and goes on from the head", async () => {
  const script = ({ purpose, agent }: { purpose: string; agent: string }) =>
    purpose === "execute" && agent === "agent-1" ? { ends: "Done" as const, turns: 10_000 } : undefined;
  const story = await tell({ builders: 2, temper: { script } });
  await story.project("retry", { assignedAgent: "agent-1" });
  await story.minutes(30);
  await story.patch("Agent", "agent-1", { paused: true });
  await story.until("it is paused", () => story.the("Agent", "agent-1").status?.state === "Paused", 0.5);
  await story.patch("Project", "retry", { assignedAgent: "agent-2" });
  await story.until(
    "agent-2 works on it",
    () => working(story, "retry")() && readyReason(story, "agent-2") === "Working",
    0.5,
  );
  expect(story.the("Project", "retry").status?.claim?.from).toBeDefined();
  await story.until("retry is merged", merged(story, "retry"));
});

test("a crash loop waits longer each time, over restarts of the operator and jumps of the clock", async () => {
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "execute" ? { ends: "Crash" as const, turns: 1 } : undefined;
  const story = await tell({ temper: { script } });
  const started: number[] = [];
  story.world.sessions.events.started = () => void started.push(story.world.scheduler.elapsedMs);
  await story.projects("one", "two", "three", "four");
  const day = 24 * 3_600_000;
  for (let quarter = 0; quarter < 24; quarter += 1) {
    await story.minutes(16);
    story.operator.crash();
    story.operator.start();
    if (quarter % 6 === 2) story.world.scheduler.jumpWall(-day);
  }
  // Ten seconds, doubled up to an hour, half of it at least, with turns of some minutes in between.
  expect(started.length).toBeGreaterThan(6);
  expect(started.length).toBeLessThan(20);
  const pauses = started.slice(1).map((at, index) => at - (started[index] ?? 0));
  for (const [index, pause] of pauses.entries())
    expect(pause).toBeGreaterThanOrEqual(Math.min(1_800_000, 5_000 * 2 ** index));
  const { failures = 0, lastError, nextStartTime } = story.the("Agent", "agent-1").status ?? {};
  expect(failures).toBe(started.length);
  expect(lastError).toContain("without a word");
  expect(nextStartTime).toBeDefined();
  expect(readyReason(story, "agent-1")).toBe("CrashLoopBackOff");
  expect((await warnings(story, "agent-1")).CrashLoopBackOff).toBeGreaterThan(0);
  // The first was asked about after three; what came later is the agent's fault until it has failed six times.
  const asked = story.world.api.objects("Escalation").filter(({ spec }) => spec.reason === "SessionFailing");
  expect(asked.length).toBeLessThanOrEqual(1 + Math.floor((started.length - 3) / 6));
});

test.each([
  [
    "a restart",
    async (story: Story) => story.patch("Agent", "agent-1", { restartedAt: "2026-01-05T09:00:00Z" }),
  ],
  [
    "a change of its pool",
    async (story: Story) => story.patch("AgentPool", "builders", { model: "claude-opus-5" }),
  ],
  [
    "a change of the Workspace",
    async (story: Story) => story.patch("Workspace", "workspace", { limits: { toolSeconds: 700 } }),
  ],
])("%s ends a crash loop's wait, and what works then leaves no count behind", async (_name, mend) => {
  let broken = true;
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "execute" && broken ? { ends: "Crash" as const, turns: 1 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("one", "two");
  await story.until("it waits for long", () => (story.the("Agent", "agent-1").status?.failures ?? 0) >= 7, 6);
  broken = false;
  const beforeMs = story.world.scheduler.elapsedMs;
  await mend(story);
  await story.until("it works again", () => story.world.sessions.hosts().length > 0, 0.5);
  expect(story.world.scheduler.elapsedMs - beforeMs).toBeLessThan(60_000);
  await story.until("its Project is merged", () => merged(story, "one")() || merged(story, "two")(), 6);
  expect(story.the("Agent", "agent-1").status?.failures ?? 0).toBe(0);
});

test("a machine that crashes again and again makes no failures of sessions that get on, and the work goes on", async () => {
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "execute" ? { ends: "Done" as const, turns: 30 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  for (let crash = 0; crash < 6; crash += 1) {
    await story.minutes(8);
    story.operator.crash();
    story.world.sessions.killAll();
    await story.minutes(1);
    story.operator.start();
  }
  expect(story.the("Agent", "agent-1").status?.failures ?? 0).toBe(0);
  await story.until("retry is merged", merged(story, "retry"), 10);
  expect(story.world.api.objects("Escalation")).toEqual([]);
  expect(story.the("Project", "retry").status?.submission?.claim).toBe(1);
});

test("a machine that crashes before a session gets on has its agent wait longer, and nobody is asked about the Project", async () => {
  const story = await tell({ temper: { script: endless("execute") } });
  await story.projects("retry");
  await story.until("it is worked on", working(story, "retry"));
  // What an earlier start got done is no progress of those that follow.
  await story.minutes(8);
  story.operator.crash();
  story.world.sessions.killAll();
  story.operator.start();
  for (let crash = 0; crash < 5; crash += 1) {
    await story.until("it is worked on", working(story, "retry"));
    await story.minutes(0.1);
    story.operator.crash();
    story.world.sessions.killAll();
    story.operator.start();
    await story.until("it waits", () => (story.the("Agent", "agent-1").status?.failures ?? 0) > crash, 0.5);
  }
  expect(story.world.api.objects("Escalation")).toEqual([]);
  expect(story.phase("retry")).toBe("Working");
});

test("a gateway that admits nobody for half an hour is no failure of any session, and nobody is asked", async () => {
  const story = await tell();
  const { sessions } = story.world;
  const start = sessions.start.bind(sessions);
  let isAway = true;
  story.operator.crash();
  sessions.start = async (spec) => {
    if (isAway) throw new TransientError("GatewayUnavailable", "It does not answer.");
    return start(spec);
  };
  story.operator.start();
  await story.projects("one");
  await story.minutes(30);
  expect(story.the("Agent", "agent-1").status).toMatchObject({ errors: 0, failures: 0 });
  isAway = false;
  await story.until("one is merged", merged(story, "one"));
  expect(story.world.api.objects("Escalation")).toEqual([]);
});

test("a host that can't be started is tried with growing waits, over restarts of the operator, and a person is asked", async () => {
  const script = ({ purpose }: { purpose: string }) =>
    purpose === "execute" ? { ends: "NeverStarts" as const, turns: 1 } : undefined;
  const story = await tell({ temper: { script } });
  const tried: number[] = [];
  story.world.sessions.events.refused = () => void tried.push(story.world.scheduler.elapsedMs);
  await story.projects("one");
  for (let restarts = 0; restarts < 30; restarts += 1) {
    await story.minutes(0.1);
    story.operator.crash();
    story.operator.start();
  }
  await story.until("a person is asked", () => story.escalation("SessionFailing"), 1);
  expect(tried).toHaveLength(3);
  const pauses = tried.slice(1).map((at, index) => at - (tried[index] ?? 0));
  expect(pauses[0]).toBeGreaterThanOrEqual(4_000);
  expect(pauses[1]).toBeGreaterThanOrEqual(9_000);
  expect(story.escalation("SessionFailing")?.spec.message).toContain("did not start");
});
