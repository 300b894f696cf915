/** Two containers on one folder: processes of the one can't be seen or signalled from the other. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { markedProcesses } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { signalIfAlive } from "../../../pkg/system/testing/signal-if-alive.ts";
import { mergesOn } from "../merges.ts";
import { type Scratch, scratch } from "../operator/scratch.ts";
import {
  container,
  letGo,
  letTimePass,
  needContainers,
  operatorsOf,
  quarantined,
  waitingCheckout,
} from "./elsewhere.ts";
import { tracesAtRest, tracesOf } from "./traces.ts";

/** The branch that people see follows it a moment later. */
const queueRef = "refs/bosun/rehearsal/target/main";
const held = { description: "[test: held]" };

async function killOperator(here: Scratch): Promise<void> {
  const operators = await operatorsOf(here);
  expect(operators).toHaveLength(1);
  for (const pid of operators) signalIfAlive(pid, "SIGKILL");
  await expect.poll(() => operatorsOf(here), { interval: 20 }).toEqual([]);
}

/** Suspends all processes of a session: as long as some were started or ended meanwhile, once more. */
async function suspend(session: string): Promise<readonly number[]> {
  for (let before = ""; ; ) {
    const found = await markedProcesses(session);
    if (found.join() === before) return found;
    before = found.join();
    for (const pid of found) signalIfAlive(pid, "SIGSTOP");
  }
}

test("of two containers one acts; when its operator dies, the other takes over and takes in what the living session does", async (context) => {
  needContainers(context);
  const here = scratch({ projects: { one: held } });
  const first = here.rehearseBy(container(here, { outlives: true }));
  await first.ready();
  const agent = await here.until("an agent at work", async () => {
    const { items } = await here.client.list("Agent");
    return items.find(({ metadata }) => waitingCheckout(here, metadata.name) !== undefined);
  });
  const checkout = waitingCheckout(here, agent.metadata.name) ?? "";

  const second = here.rehearseBy(container(here));
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain("An operator already runs in another container on this folder");
  expect(await operatorsOf(here)).toHaveLength(1);

  await killOperator(here);
  const tooSoon = here.rehearseBy(container(here));
  expect(await tooSoon.exited).toBe(1);
  expect(tooSoon.output()).toContain("in another container held this workspace a moment ago");
  letTimePass(here);
  const third = here.rehearseBy(container(here));
  await third.ready();
  const session = (await here.agent(agent.metadata.name)).status?.session?.id ?? "";
  expect(await markedProcesses(session)).not.toEqual([]);
  letGo(checkout);
  const done = await here.phase("one", "Done");

  expect(done.status).toMatchObject({ claimNumber: 1, submission: { claim: 1, agent: agent.metadata.name } });
  const transcript = readFileSync(sessionFolder(here.workspace.sessions, session).transcriptPath, "utf8");
  expect(transcript.match(/"type":"message"/g)).toHaveLength(1);
  expect(mergesOn(here.repository, queueRef, "main")).toMatchObject([{ project: "one" }]);
});

test("an agent that was suspended while its work was given to another reaches no branch, review or merge when it wakes", async (context) => {
  needContainers(context);
  const here = scratch({ projects: { one: held }, agents: 2 });
  const first = here.rehearseBy(container(here, { outlives: true }));
  await first.ready();
  const [loser, other] = await here.until("a command that waits", async () => {
    const { items } = await here.client.list("Agent");
    const authors = items
      .filter(({ spec }) => spec.role === "Execution")
      .map(({ metadata }) => metadata.name);
    const waiting = authors.find((name) => waitingCheckout(here, name) !== undefined);
    return waiting !== undefined && [waiting, authors.find((name) => name !== waiting) ?? ""];
  });
  const zombie = (await here.agent(loser ?? "")).status?.session?.id ?? "";
  const suspended = await suspend(zombie);
  await killOperator(here);
  letTimePass(here);

  const second = here.rehearseBy(container(here));
  await second.ready();
  const access = sessionFolder(here.workspace.sessions, zombie).readAccess();
  await here.client.patch(
    "Project",
    { namespace: "default", name: "one" },
    { spec: { assignedAgent: other } },
  );
  letGo(await here.until("the other at work", () => waitingCheckout(here, other ?? "")));
  const done = await here.phase("one", "Done");
  expect(done.status).toMatchObject({ claimNumber: 2, submission: { claim: 2, agent: other } });
  await here.until("everybody idle", async () => {
    const { items } = await here.client.list("Agent");
    return items.every(({ status }) => status?.state === "Idle");
  });

  const before = await tracesAtRest(here);
  // Whatever it was about to do, it may do now.
  for (const checkout of quarantined(here)) letGo(checkout);
  expect(await markedProcesses(zombie)).toEqual(suspended);
  // Its host, woken first, ends what it started.
  for (const pid of suspended) signalIfAlive(pid, "SIGCONT");
  await here.until("its end, by itself", async () => (await markedProcesses(zombie)).length === 0);
  expect(await tracesOf(here)).toEqual(before);

  const asked = await fetch(new URL("/v1/messages", access?.url), {
    method: "POST",
    headers: { authorization: `Bearer ${access?.token}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "claude-sonnet-5-5",
      max_tokens: 10,
      messages: [{ role: "user", content: "Hi" }],
    }),
  });
  expect(asked.status).toBe(401);
  const log = here.git("log", "--format=%s", queueRef).split("\n");
  expect(log.filter((subject) => subject.startsWith("End as"))).toEqual([`End as Bosun ${other}`]);
});
