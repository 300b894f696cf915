import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentStatus } from "../../../pkg/api/generated.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import type { Registry } from "../../../pkg/registry/registry.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { settled, TestClock } from "../../../pkg/runtime/testing/clock.ts";
import type { SessionObservation } from "../../../pkg/session/sessions.ts";
import { createAll, openRegistry } from "../testing/operator.ts";
import { type SessionFiles, writeSessionFiles } from "./session-files.ts";

const key = { namespace: "default", name: "agent-1" };

let folder: string;
let registry: Registry;
let client: Client;
let clock: TestClock;
let asked: number;
/** Until it is there the gateway says no cost. */
let answer: Promise<void>;
let session: SessionObservation;
let isHeld: boolean;
let files: SessionFiles;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-shown-"));
  registry = await openRegistry();
  client = registryClient(registry, "bosun");
  clock = new TestClock();
  asked = 0;
  answer = Promise.resolve();
  session = { is: "absent", report: undefined };
  isHeld = true;
  await createAll(
    registry,
    "apiVersion: bosun.dev/v1alpha1\nkind: Agent\nmetadata: { name: agent-1 }\nspec: { pool: crew, role: Execution }",
  );
  files = writeSessionFiles({
    ...{ client, namespace: "default", clock, logger: silentLogger, folder, isHeld: () => isHeld },
    sessions: { find: async () => session },
    money: {
      async cost() {
        asked += 1;
        await answer;
        return asked * 1_000_000_000;
      },
    },
  });
  await settled();
});
afterEach(async () => {
  await files.close();
  rmSync(folder, { recursive: true });
});

async function change(status: AgentStatus): Promise<void> {
  const agent = await client.get("Agent", key);
  if (agent === undefined) throw new Error("There is no agent-1.");
  await client.updateStatus("Agent", { ...agent, status });
  await settled();
}

function text(): string {
  return readFileSync(path.join(folder, "agent-1.session"), "utf8");
}

test("what changes several times within a second is written at once and once more, as it is by then", async () => {
  expect(text()).toContain('status: "idle"');
  for (const project of ["one", "two", "three"]) await change({ activity: "working", project });
  expect(text()).toContain("current_project_id: null");
  expect(asked).toBe(1);
  await clock.advance(1_000);
  expect(text()).toContain('current_project_id: "three"');
  expect(asked).toBe(2);
  await clock.advance(10_000);
  await change({ activity: "working", project: "four" });
  expect(text()).toContain('current_project_id: "four"');
});

test("an operator that ends writes what it had not written yet", async () => {
  await change({ activity: "working", project: "last" });
  await files.close();
  expect(text()).toContain('current_project_id: "last"');
});

test("an operator that ends waits for what is being written: it was written after the end, or not at all", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = promise;
  await clock.advance(10_000);
  await change({ activity: "working", project: "last" });
  let isClosed = false;
  const closing = files.close().then(() => {
    isClosed = true;
  });
  await settled();
  expect(isClosed).toBe(false);
  resolve();
  await closing;
  expect(text()).toContain('current_project_id: "last"');
});

test("a file that waits to be written is not written for an agent that is gone, nor beside a living session", async () => {
  await change({ activity: "working", project: "one", session: { id: "s" } });
  session = { is: "unknown", why: "It starts." };
  await clock.advance(1_000);
  expect(text()).toContain("current_project_id: null");
  await change({ activity: "idle" });
  await client.delete("Agent", key);
  await settled();
  await clock.advance(1_000);
  expect(existsSync(path.join(folder, "agent-1.session"))).toBe(false);
});

test("an operator that has lost its folder writes no file and removes none", async () => {
  await clock.advance(10_000);
  isHeld = false;
  await change({ activity: "working", project: "late" });
  expect(text()).toContain("current_project_id: null");
  await client.delete("Agent", key);
  await settled();
  expect(existsSync(path.join(folder, "agent-1.session"))).toBe(true);
});

test("a file of which its cost was asked for is left to the session that began meanwhile", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = promise;
  await clock.advance(10_000);
  await change({ activity: "working", project: "one" });
  session = { is: "unknown", why: "It starts." };
  await change({ activity: "working", project: "two", session: { id: "s" } });
  resolve();
  await settled();
  await clock.advance(1_000);
  expect(text()).toContain("current_project_id: null");
});
