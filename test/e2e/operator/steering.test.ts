/** A person's commands while sessions run: what runs ends as promised, and all work is kept. */
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Agent } from "../../../pkg/api/generated.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { startTimeNow } from "../../../pkg/system/process-table.ts";
import { letGo, waitingCheckout } from "../owner/elsewhere.ts";
import { hardLimitMs } from "../stop/crew.ts";
import { type Scratch, scratch } from "./scratch.ts";

/** Long enough to be interfered with many times; nothing waits for its end. */
const long = { description: "[test: steady]", category: "documentation", tasks: 50 };
/** Not over before it is let go. */
const short = { description: "[test: halting]", tasks: 5 };

const documentation = `apiVersion: bosun.dev/v1alpha1
kind: Category
metadata:
  name: documentation
spec:
  mode: Enabled
`;

/** Tasks that the agent's session has done, by its own report. */
function done({ workspace }: Scratch, agent: Agent): number {
  const id = agent.status?.session?.id;
  return id === undefined ? 0 : (sessionFolder(workspace.sessions, id).readReport()?.tasksDone.length ?? 0);
}

/** Waits until the agent's host works and has done more than `before` tasks. */
function working(here: Scratch, name: string, before = 0): Promise<Agent> {
  return here.until(`${name} at work`, async () => {
    const found = await here.find("Agent", name);
    const isWorking = found?.status?.state === "Working" && lives(found.status.session?.pid);
    return isWorking && done(here, found) > before && found;
  });
}

/** One that has ended and that nobody has asked about yet is gone too. */
function lives(pid: number | undefined): boolean {
  return pid !== undefined && startTimeNow(pid) !== undefined;
}

async function failures(here: Scratch): Promise<readonly string[]> {
  const { items } = await here.client.list("Event");
  return items.filter(({ reason }) => reason === "SessionFailed").map(({ message }) => message ?? "");
}

test("a pause at every level ends the host after its turn and keeps claim and session, and resume goes on with them", async () => {
  const here = scratch({ projects: { one: long } });
  here.write("categories.yaml", documentation);
  const operator = here.rehearse();
  let agent = await working(here, "agent-1");
  const session = agent.status?.session?.id;
  const levels = [
    { words: [], reason: "WorkspacePaused" },
    { words: ["pool", "crew"], reason: "PoolPaused" },
    { words: ["agent", "agent-1"], reason: "AgentPaused" },
    { words: ["category", "documentation"], reason: "CategoryPaused" },
  ];
  for (const { words, reason } of levels) {
    const { pid } = agent.status?.session ?? {};
    await here.tell("pause", ...words);
    const paused = await here.until(`agent-1 paused: ${reason}`, async () => {
      const found = await here.agent("agent-1");
      return found.status?.state === "Paused" && !lives(pid) && found;
    });
    expect(here.condition(paused, "Ready")?.reason).toBe(reason);
    expect((await here.project("one")).status?.claim?.agent).toBe("agent-1");
    expect((await here.bosun("why", "one")).text).toContain(`bosun resume ${words.join(" ")}`.trim());

    await here.tell("resume", ...words);
    agent = await working(here, "agent-1", done(here, paused));
    expect(agent.status?.session?.id).toBe(session);
    expect(agent.status?.session?.pid).not.toBe(pid);
  }
  expect(agent.status?.failures).toBe(0);
  expect(await failures(here)).toEqual([]);
  operator.signal("SIGINT");
  expect(await operator.exited).toBe(0);
  expect(await here.left()).toEqual([]);
});

test("restart gives a session a new host; assign moves the work with its commits; unassign frees it; skip keeps it on the branch", async () => {
  const here = scratch({ agents: 2, projects: { one: long } });
  const operator = here.rehearse();
  await here.phase("one", "Working");
  const { status } = await here.project("one");
  const first = status?.claim?.agent ?? "";
  const others = (await here.client.list("Agent")).items.filter(
    ({ spec, metadata }) => spec.role === "Execution" && metadata.name !== first,
  );
  const second = others[0]?.metadata.name ?? "";
  const before = await working(here, first);

  await here.tell("restart", first);
  const restarted = await here.until("a new host", async () => {
    const found = await here.agent(first);
    const { pid } = found.status?.session ?? {};
    return pid !== before.status?.session?.pid && lives(pid) && found;
  });
  expect(restarted.status?.session?.id).toBe(before.status?.session?.id);
  await working(here, first, done(here, restarted));

  await here.tell("assign", "one", second);
  const moved = await here.until("a claim of the second's", async () => {
    const found = await here.project("one");
    return found.status?.claim?.agent === second && found;
  });
  expect(moved.status?.claim?.number).toBe(2);
  const from = moved.status?.claim?.from ?? "";
  // What the first has done is there already; past that are commits of the second's own.
  await working(here, second, Number(here.git("rev-list", "--count", `main..${from}`)));
  expect(here.git("log", "--format=%an", `main..${from}`)).toContain(`Bosun ${first}`);
  expect((await here.agent(first)).status?.project).toBeUndefined();
  await here.tell("unassign", "one");
  expect((await here.project("one")).spec.assignedAgent).toBeUndefined();

  await here.tell("skip", "one");
  const skipped = await here.until("a skipped Project that nobody has", async () => {
    const found = await here.project("one");
    return found.status?.phase === "Skipped" && found.status.claim === undefined && found;
  });
  const { branch = "", head } = skipped.status ?? {};
  expect(branch).toBe(`${second}/project-1`);
  expect(here.git("rev-parse", branch)).toBe(head);
  expect(here.git("log", "--format=%an", `${from}..${branch}`)).toContain(`Bosun ${second}`);
  expect(await failures(here)).toEqual([]);
  await operator.end();
  expect(await here.left()).toEqual([]);
});

test("scaling down saves the work of the agent that leaves, scaling up goes on from it, and the file changes by one number", async () => {
  const here = scratch({ projects: { one: short } });
  const operator = here.rehearse();
  await working(here, "agent-1");
  const before = here.read("pools.yaml");

  await here.tell("scale", "crew", "0");
  await here.until("no execution agent", async () => (await here.find("Agent", "agent-1")) === undefined);
  const waiting = await here.project("one");
  expect(waiting.status?.claim).toBeUndefined();
  expect(waiting.status?.phase).toBe("Queued");
  const head = waiting.status?.head ?? "";
  expect(here.git("log", "--format=%s", head)).toContain("Write T-1");
  await here.until("a file that says 0", () => here.read("pools.yaml") !== before);
  expect(here.read("pools.yaml")).toBe(before.replace("replicas: 1 # as many", "replicas: 0 # as many"));
  expect((await here.bosun("why", "one")).text).toContain("bosun scale");

  await here.tell("scale", "crew", "1");
  const { status } = await here.until("one Done, once it is let go", async () => {
    const checkout = waitingCheckout(here, "agent-1");
    if (checkout !== undefined) letGo(checkout);
    const found = await here.project("one");
    return found.status?.phase === "Done" && found;
  });
  expect(here.git("merge-base", "--is-ancestor", head, status?.mergeCommit ?? "")).toBe("");
  await here.until("a file that says 1", () => here.read("pools.yaml") === before);
  await operator.end();
});

test("work that is wrong three times is escalated, and a person's Approve lets exactly it through", async () => {
  const here = scratch({ projects: { wrong: {} } });
  const operator = here.rehearse();
  const { status } = await here.phase("wrong", "Escalated");
  expect(status?.reviewCycles).toBe(3);
  const name = status?.escalation ?? "";
  expect(await here.tell("escalations")).toContain(name);
  const { spec } = await here.object("Escalation", name);
  expect(spec.reason).toBe("ReviewDeadlock");
  expect(spec.perspectives?.author).toContain("docs/write-wrong.md");
  expect(spec.perspectives?.reviewer).toContain("wrong however it is put");

  const refused = await here.bosun("resolve", name, "Continue");
  expect(refused.exitCode).toBe(2);
  await here.tell("resolve", name, "approve", "It is what I want.");
  const merged = await here.phase("wrong", "Done");
  expect(here.git("merge-base", "--is-ancestor", spec.commit ?? "", merged.status?.mergeCommit ?? "")).toBe(
    "",
  );
  expect(merged.status?.verdict?.by).not.toBe(merged.status?.submission?.agent);
  expect(here.git("log", "-1", "--format=%B", merged.status?.mergeCommit ?? "")).toMatch(/person/i);
  await operator.end();
});

test("an emergency stop ends every host, says Stopped in the file, and resume goes on with the same session", async () => {
  const here = scratch({ projects: { one: short } });
  const before = here.read("workspace.yaml");
  let operator = here.rehearse("--until-settled");
  const agent = await working(here, "agent-1");
  const { id, pid } = agent.status?.session ?? {};

  const said = await here.tell("stop", "--emergency");
  expect(said).toContain("no session, tool, check or request is left");
  // On a machine that is starved it may have been too slow to answer.
  if (said.includes("was ended too")) operator = here.rehearse("--until-settled");
  expect(lives(pid)).toBe(false);
  expect(existsSync(here.workspace.stopLatch)).toBe(true);
  await here.until("a file that says so", () => here.read("workspace.yaml").includes("mode: Stopped"));
  expect((await here.bosun("why", "one")).text).toContain("bosun resume");

  await here.tell("resume");
  await here.until("no latch", () => !existsSync(here.workspace.stopLatch));
  const resumed = await here.until("the same session", async () => {
    const found = await here.agent("agent-1");
    return found.status?.session?.id === id && lives(found.status?.session?.pid) && found;
  });
  expect(resumed.status?.failures ?? 0).toBe(0);
  letGo(await here.until("its checkout", () => waitingCheckout(here, "agent-1")));
  expect(await failures(here)).toEqual([]);
  expect(await operator.exited).toBe(0);
  expect(here.git("show", "rehearsal/main:docs/write-one.md").split("\n")).toHaveLength(5);
  expect(here.read("workspace.yaml").replace(/^ *mode: Running\n/m, "")).toBe(before);
  expect(await here.left()).toEqual([]);
});

test("touching the latch alone stops everything, is said in the Workspace's file, and resume takes it away", async () => {
  const here = scratch({ projects: { one: long } });
  const operator = here.rehearse();
  const agent = await working(here, "agent-1");
  const before = here.read("workspace.yaml");

  writeFileSync(here.workspace.stopLatch, "");
  const startMs = performance.now();
  await here.until("no host", () => !lives(agent.status?.session?.pid));
  expect(performance.now() - startMs).toBeLessThan(hardLimitMs);
  await here.until("a file that says so", () => here.read("workspace.yaml").includes("mode: Stopped"));
  expect(here.read("workspace.yaml").replace(/^ *mode: Stopped\n/m, "")).toBe(before);
  expect((await here.agent("agent-1")).status?.failures ?? 0).toBe(0);

  await here.tell("resume");
  expect(existsSync(here.workspace.stopLatch)).toBe(false);
  const resumed = await working(here, "agent-1");
  expect(resumed.status?.session?.id).toBe(agent.status?.session?.id);
  expect(await failures(here)).toEqual([]);
  await operator.end();
});
