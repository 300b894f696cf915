import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { registryClient } from "../../../pkg/registry/client.ts";
import type { Registry } from "../../../pkg/registry/registry.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { jsonLogger } from "../../../pkg/runtime/logger.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { createAll, openRegistry, temporaryWorkspace, until } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { notifyPerson } from "./notify.ts";

const key = { namespace: "default", name: "w" };
const question = (name: string) => `
apiVersion: bosun.dev/v1alpha1
kind: Escalation
metadata: { name: ${name} }
spec: { reason: Stuck, project: greet, message: "Nothing moved; $(touch injected)" }
`;

let folder: WorkspaceFolder;
let registry: Registry;
let client: Client;
let logged: string[];
let running: AbortController[];

beforeEach(async () => {
  folder = temporaryWorkspace();
  registry = await openRegistry();
  client = registryClient(registry, "bosun");
  logged = [];
  running = [];
});
afterEach(() => {
  for (const one of running) one.abort();
  rmSync(folder.repository, { recursive: true, force: true });
});

function start(clock: Clock = systemClock, reads: Client = client): AbortController {
  const logger = jsonLogger((line) => logged.push(line), systemClock);
  const env = { PATH: process.env.PATH, WHOSE: "mine" };
  const one = notifyPerson({ client: reads, namespace: "default", clock, logger, folder, env });
  running.push(one);
  return one;
}

async function declare(command: string): Promise<void> {
  await createAll(
    registry,
    `apiVersion: bosun.dev/v1alpha1\nkind: Workspace\nmetadata: { name: w }\nspec: { notify: { command: ${JSON.stringify(command)} } }`,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: tests reach into lines by name
function lines(): any[] {
  const file = path.join(folder.repository, "told");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test("each thing is told once, as a line of data, by the person's command in the person's environment", async () => {
  await declare('test "$WHOSE" = mine && cat >> told');
  start();
  await createAll(registry, question("first"));
  await until(() => lines().length === 1, "the question");
  expect(lines()[0]).toEqual({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    workspace: "w",
    repository: folder.repository,
    type: "Escalation",
    object: { kind: "Escalation", name: "first" },
    reason: "Stuck",
    project: "greet",
    message: "Nothing moved; $(touch injected)",
  });
  expect(existsSync(path.join(folder.repository, "injected"))).toBe(false);

  const lastTransitionTime = "2026-11-23T12:00:00Z";
  const stopped = { type: "Stopped", status: "True", reason: "EmergencyStop", message: "Nothing runs." };
  const status = { conditions: [{ ...stopped, lastTransitionTime }] };
  await client.patch("Workspace", key, { status }, { subresource: "status" });
  await until(() => lines().length === 2, "the stop");
  expect(lines()[1]).toMatchObject({ type: "EmergencyStop", object: { kind: "Workspace", name: "w" } });
});

test("a restarted operator tells again only what it has not told", async () => {
  await declare("cat >> told");
  const first = start();
  await createAll(registry, question("first"));
  await until(() => existsSync(path.join(folder.operator, "notified.json")), "the memory");
  first.abort();
  await createAll(registry, question("second"));
  start();
  await until(() => lines().length === 2, "the second question");
  expect(lines().map(({ object }) => object.name)).toEqual(["first", "second"]);

  writeFileSync(path.join(folder.operator, "notified.json"), "not json");
  await createAll(registry, question("third"));
  await until(() => lines().length >= 3, "more, after the memory was lost");
});

test("an outage is told once it has stood for two minutes, to the next operator no more, and again when it comes back", async () => {
  await declare("cat >> told");
  await createAll(
    registry,
    "apiVersion: bosun.dev/v1alpha1\nkind: Agent\nmetadata: { name: a }\nspec: { pool: p, role: Execution }",
  );
  const beganMs = Date.parse("2026-11-23T12:00:00Z");
  let nowMs = beganMs;
  const waiting: { endMs: number; over: () => void }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    elapsed: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ endMs: nowMs + ms, over: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    for (const { over } of waiting.filter(({ endMs }) => endMs <= nowMs)) over();
  };
  const ready = async (reason: string): Promise<void> => {
    const lastTransitionTime = new Date(nowMs).toISOString().replace(".000", "");
    const status = reason === "Working" ? "True" : "False";
    const condition = { type: "Ready", status, reason, message: "401 invalid x-api-key", lastTransitionTime };
    const patch = { status: { conditions: [condition] } };
    await client.patch("Agent", { ...key, name: "a" }, patch, { subresource: "status" });
  };
  const asked = async (name: string): Promise<void> => {
    const before = lines().length;
    await createAll(registry, question(name));
    await until(() => lines().length > before, name);
  };
  const types = (): string[] => lines().map(({ type }) => type);

  const first = start(clock);
  await ready("UpstreamUnavailable");
  await asked("short");
  pass(119_000);
  await asked("still-short");
  expect(types()).toEqual(["Escalation", "Escalation"]);
  pass(1_000);
  await until(() => lines().length === 3, "the outage");
  expect(lines()[2]).toMatchObject({
    type: "UpstreamUnavailable",
    object: { kind: "Agent", name: "a" },
    message: "a: 401 invalid x-api-key",
  });
  const memory = path.join(folder.operator, "notified.json");
  await until(() => readFileSync(memory, "utf8").includes("outage upstream"), "the memory");
  first.abort();
  start(clock);
  await asked("after-a-restart");
  await ready("Working");
  await asked("while-it-works");
  await ready("UpstreamUnavailable");
  await asked("again");
  pass(120_000);
  await until(() => lines().length === 7, "the second outage");
  expect(types().slice(3)).toEqual(["Escalation", "Escalation", "Escalation", "UpstreamUnavailable"]);
});

test("a command that the operator's end cut short is not logged as failed", async () => {
  await declare("echo $$ > begun; exec sleep 60");
  const one = start();
  await createAll(registry, question("first"));
  const begun = path.join(folder.repository, "begun");
  const pid = (): number => (existsSync(begun) ? Number(readFileSync(begun, "utf8")) : 0);
  await until(() => pid() > 0, "the command");
  one.abort();
  await until(() => !existsSync(`/proc/${pid()}`), "its end");
  // A later one's failure is the first thing that is logged.
  await client.patch("Workspace", key, { spec: { notify: { command: "exit 3" } } });
  start();
  await until(() => logged.length > 0, "the log");
  expect(JSON.parse(logged[0] ?? "")).toMatchObject({ command: "exit 3", exitCode: 3 });
});

test("a look that the operator's end cut short is not logged as failed", async () => {
  await declare("cat >> told");
  const { list } = client;
  const over = Promise.withResolvers<never>();
  const asked = Promise.withResolvers<void>();
  let isEnding = false;
  const ending: Client["list"] = (kind, options) => {
    if (!isEnding) return list(kind, options);
    asked.resolve();
    return over.promise;
  };
  const one = start(systemClock, { ...client, list: ending });
  await createAll(registry, question("first"));
  await until(() => lines().length === 1, "the first question");
  isEnding = true;
  await createAll(registry, question("second"));
  await asked.promise;
  one.abort();
  over.reject(new Error("The registry has ended"));
  // A later one's failure is the first thing that is logged.
  await client.patch("Workspace", key, { spec: { notify: { command: "exit 3" } } });
  start();
  await until(() => logged.length > 0, "the log");
  expect(JSON.parse(logged[0] ?? "")).toMatchObject({ command: "exit 3", exitCode: 3 });
});

test("a command that fails is logged and holds nothing up, and a new command takes over", async () => {
  await declare("echo no phone; exit 3");
  start();
  await createAll(registry, question("first"));
  await until(() => logged.length === 1, "the log");
  expect(JSON.parse(logged[0] ?? "")).toMatchObject({
    message: "spec.notify.command failed",
    exitCode: 3,
    output: "no phone\n",
  });
  await client.patch("Workspace", key, { spec: { notify: { command: "cat >> told" } } });
  await createAll(registry, question("second"));
  await until(() => lines().length === 1, "the second question");
  expect(lines()[0]).toMatchObject({ object: { name: "second" } });
});
