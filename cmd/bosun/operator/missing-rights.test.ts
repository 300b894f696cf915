import { expect, test } from "vitest";
import { TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { missingRights } from "./missing-rights.ts";

const refusal = (verb: string, resource: string, name = ""): string =>
  `${resource.split("/")[0]}.bosun.dev ${name}is forbidden: User "ada" cannot ${verb} resource "${resource}" in API group "bosun.dev" in the namespace "crew"`;

function listening() {
  const clock = new TestClock();
  const told: string[] = [];
  const forbidden = missingRights({
    server: "https://server",
    namespace: "crew",
    clock,
    signal: new AbortController().signal,
    note: (line) => told.push(line),
  });
  return { clock, told, forbidden };
}

test("a role that was taken away is told in one line, and how it is given", async () => {
  const { clock, told, forbidden } = listening();
  for (let times = 0; times < 3; times += 1) {
    forbidden(refusal("update", "agents/status", `"agent-${times}" `));
    forbidden(refusal("list", "projects"));
    forbidden(refusal("list", "agents"));
    await clock.advance(4_000);
  }
  expect(told).toEqual([
    "ada lacks rights in namespace crew (https://server): list agents, projects; update agents/status. What needs them is tried again until they are given: kubectl -n crew create rolebinding bosun-operator --clusterrole=bosun-operator --user=ada. The role itself comes with `bosun install`.",
  ]);
});

test("a right that goes on missing is told once, and again when it was there for a while", async () => {
  const { clock, told, forbidden } = listening();
  for (let times = 0; times < 10; times += 1) {
    forbidden(refusal("list", "agents"));
    await clock.advance(30_000);
  }
  expect(told).toHaveLength(1);
  await clock.advance(60_000);
  for (let times = 0; times < 3; times += 1) {
    forbidden(refusal("list", "agents"));
    await clock.advance(4_000);
  }
  expect(told).toHaveLength(2);
});

test("what a server refuses while it starts is not told", async () => {
  const { clock, told, forbidden } = listening();
  for (let times = 0; times < 4; times += 1) {
    forbidden(refusal("list", "agents"));
    await clock.advance(1_000);
  }
  await clock.advance(60_000);
  expect(told).toEqual([]);
});

test("a namespace that is being deleted is told in one line, and how what keeps it is let go of", async () => {
  const { clock, told, forbidden } = listening();
  for (const what of ["agents.bosun.dev", "events", "agents.bosun.dev"]) {
    forbidden(
      `${what} "agent-1" is forbidden: unable to create new content in namespace crew because it is being terminated`,
    );
    await clock.advance(4_000);
  }
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^Namespace crew is being deleted: .*kubectl -n crew get agents,projects -o name/);
});

test("what is forbidden for another reason than a right is told in the server's words", async () => {
  const { clock, told, forbidden } = listening();
  const text = 'agents.bosun.dev "agent-1" is forbidden: exceeded quota: objects';
  for (const name of ["agent-1", "agent-2", "agent-3"]) {
    forbidden(text.replace("agent-1", name));
    await clock.advance(4_000);
  }
  expect(told).toEqual([`https://server forbids: ${text.replace("agent-1", "agent-3")}`]);
});
