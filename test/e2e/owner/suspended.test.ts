/** An operator that is suspended for an hour while another takes over, and goes on in the middle of what it did. */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import path from "node:path";
import { expect, test } from "vitest";
import { lastKnown } from "../../../cmd/bosun/operator-client/last-known.ts";
import { mergesOn } from "../merges.ts";
import { type Scratch, scratch } from "../operator/scratch.ts";
import { letGo, moveHolderAway, operatorsOf, waitingCheckout } from "./elsewhere.ts";
import { tracesAtRest, tracesOf } from "./traces.ts";

const queueRef = "refs/bosun/rehearsal/target/main";
const held = { description: "[test: held]" };

/** A connection to the operator that stays open. A write that is sent through it while the operator is suspended waits. */
async function connectionTo({ workspace }: Scratch): Promise<(title: string) => Promise<number | string>> {
  const lock = path.join(workspace.operator, "lock");
  const socketPath = path.join(lock, readdirSync(lock).find((name) => name.endsWith(".sock")) ?? "");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const url = "/apis/bosun.dev/v1alpha1/namespaces/default/projects/one";
  const send = (method: string, more: object = {}): ClientRequest =>
    request({ socketPath, agent, path: url, method, ...more });
  const [first] = (await once(send("GET").end(), "response")) as [IncomingMessage];
  await first.resume().toArray();
  return async (title) => {
    const headers = { "content-type": "application/merge-patch+json" };
    const patch = send("PATCH", { headers }).end(JSON.stringify({ spec: { title } }));
    try {
      const [response] = (await once(patch, "response")) as [IncomingMessage];
      response.resume();
      return response.statusCode ?? 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "";
    }
  };
}

test("whatever a suspended operator goes on with when it wakes reaches nothing of its successor's, and it ends with a clear message", async () => {
  const here = scratch({ projects: { one: held, two: held }, agents: 2 });
  const first = here.rehearse();
  await first.ready();
  const authors = await here.until("two agents that wait", async () => {
    const { items } = await here.client.list("Agent");
    const waiting = items.filter(({ metadata }) => waitingCheckout(here, metadata.name) !== undefined);
    return waiting.length === 2 && waiting.map(({ metadata }) => metadata.name);
  });
  const patch = await connectionTo(here);
  // In the middle of the second work: its host ends while the operator that would hand it in sleeps.
  first.signal("SIGSTOP");
  const patched = patch("What the stale one would say");
  for (const author of authors) letGo(waitingCheckout(here, author) ?? "");
  moveHolderAway(here);

  const second = here.rehearse();
  await second.ready();
  await here.tell("pause", "pool", "reviewers");
  const acknowledged = "What the next one acknowledged";
  await here.client.patch(
    "Project",
    { namespace: "default", name: "two" },
    { spec: { title: acknowledged } },
  );
  await here.tell("resume", "pool", "reviewers");
  await here.phase("one", "Done");
  await here.phase("two", "Done");
  await here.until("everybody idle", async () => {
    const { items } = await here.client.list("Agent");
    return items.every(({ status }) => status?.state === "Idle");
  });

  const before = await tracesAtRest(here);
  first.signal("SIGCONT");
  expect(await first.exited).toBe(1);
  expect(first.output()).toContain("Another operator has taken over this workspace");
  expect(await patched).not.toBe(200);
  expect(await tracesOf(here)).toEqual(before);
  expect(await operatorsOf(here)).toEqual([second.pid]);
  expect((await here.project("two")).spec.title).toBe(acknowledged);
  expect(here.read("projects/two.yaml")).toContain(acknowledged);
  expect((await lastKnown(here.workspace.log).then((log) => log?.list("Project")))?.items).toEqual(
    (await here.client.list("Project")).items,
  );
  expect(
    mergesOn(here.repository, queueRef, "main")
      .map(({ project }) => project)
      .toSorted(),
  ).toEqual(["one", "two"]);
  await here.tell("status");
  await second.end();
});

test("one that is suspended on this machine holds the workspace, and who wants it is told how to get it", async () => {
  const here = scratch();
  const first = here.rehearse();
  await first.ready();
  first.signal("SIGSTOP");
  const second = here.rehearse();
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(
    `An operator (process ${first.pid}) holds this workspace and is suspended, as by Ctrl-Z. ` +
      `\`kill -CONT ${first.pid}\` lets it go on; \`kill -9 ${first.pid}\` ends it, and nothing is lost.`,
  );
  first.signal("SIGKILL");
  const third = here.rehearse();
  await third.ready();
  expect(await operatorsOf(here)).toEqual([third.pid]);
});

test("of two that start at the same moment one runs and the other says who, also after a kill -9", async () => {
  const here = scratch();
  for (let round = 0; round < 3; round += 1) {
    const both = [here.rehearse(), here.rehearse()];
    const loser = await Promise.race(both.map((one) => one.exited.then(() => one)));
    const winner = both.find((one) => one !== loser);
    expect(await loser.exited).toBe(1);
    expect(loser.output()).toContain(
      `An operator already runs here (process ${winner?.pid}). \`bosun status\` shows what it does`,
    );
    expect(await operatorsOf(here)).toEqual([winner?.pid]);
    winner?.signal("SIGKILL");
    await winner?.exited;
  }
});
