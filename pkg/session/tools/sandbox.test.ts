import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sandboxAvailable } from "../../sandbox/available.ts";
import { systemClock } from "../../system/system.ts";
import type { SessionSpec } from "../sessions.ts";
import { executeTools } from "./execute.ts";
import { reviewTools } from "./review.ts";
import type { ToolResult } from "./toolbox.ts";
import { workplace } from "./workplace.ts";

const sandbox = await sandboxAvailable(systemClock);
let root: string;
let gateway: Server;
let port: number;
const ownHome = process.env.HOME;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "bosun-tools-"));
  gateway = createServer((_request, response) => response.end("reached"));
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  port = (gateway.address() as AddressInfo).port;
  for (const folder of ["mine", "other", "repository/.claude-sessions/.bosun", "person/.ssh"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, "mine/own.txt"), "own\n");
  writeFileSync(join(root, "other/theirs.txt"), "theirs\n");
  writeFileSync(join(root, "repository/.claude-sessions/.bosun/kubeconfig"), "token\n");
  writeFileSync(join(root, "person/.ssh/id_ed25519"), "key\n");
  process.env.HOME = join(root, "person");
});
afterAll(() => {
  process.env.HOME = ownHome;
  gateway.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach((context) => {
  if (sandbox.available) return;
  console.warn(`Skipped, no sandbox: ${sandbox.why}`);
  context.skip(sandbox.why);
});

function placeOf(purpose: "execute" | "review") {
  const spec: Pick<
    SessionSpec,
    "id" | "checkout" | "purpose" | "sandbox" | "toolTimeoutSeconds" | "tasks" | "criteria"
  > = {
    id: "session-1",
    checkout: join(root, "mine"),
    purpose,
    sandbox: "Required",
    toolTimeoutSeconds: 60,
    tasks: [],
    criteria: [],
  };
  const place = workplace({
    spec: spec as SessionSpec,
    sandboxed: true,
    hide: [join(root, "other"), join(root, "repository")],
    extraReadOnly: [],
    stopLatch: join(root, "stop"),
    home: join(root, "home"),
    clock: systemClock,
  });
  return { spec: spec as SessionSpec, place };
}
function tools(purpose: "execute" | "review") {
  const { spec, place } = placeOf(purpose);
  return purpose === "execute"
    ? executeTools({ spec, place, headAtStart: () => undefined })
    : reviewTools({ spec, place });
}
const bash = (command: string, purpose: "execute" | "review" = "execute"): Promise<ToolResult> =>
  tools(purpose).run("bash", { command });

describe("a tool call cannot reach", () => {
  test.each([
    ["the person's ssh keys", () => `cat ${root}/person/.ssh/id_ed25519`],
    ["ssh keys in its own home", () => "cat ~/.ssh/id_ed25519"],
    ["the kubeconfig", () => `cat ${root}/repository/.claude-sessions/.bosun/kubeconfig`],
    ["another checkout", () => `cat ${root}/other/theirs.txt`],
    ["the gateway", () => `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`],
    ["a file outside by a link", () => `ln -sf ${root}/other/theirs.txt link && cat link`],
    ["the operator's environment", () => 'test -n "$ANTHROPIC_API_KEY$SSH_AUTH_SOCK"'],
    ["other processes", () => 'kill -0 $PPID && test "$PPID" -gt 3'],
  ])("%s", async (_what, command) => {
    const result = await bash(command());
    expect(result.isError).toBe(true);
    expect(result.content).not.toMatch(/token\n|theirs\n|key\n|reached/);
  });
});

test("an author's tools change the checkout, a reviewer's don't", async () => {
  expect(await bash("echo more > more.txt && cat own.txt more.txt")).toEqual({
    content: "own\nmore\n",
    isError: false,
  });
  expect(await bash("cat own.txt", "review")).toEqual({ content: "own\n", isError: false });
  expect(await bash("echo no > own.txt", "review")).toMatchObject({ isError: true });
});

test("setup reaches the machine's network where it may, and nothing of the person's either way", async () => {
  const { place } = placeOf("execute");
  const setUp = (run: string, network: "none" | "host") => place.setUp({ run, timeoutSeconds: 60, network });
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${port}`;
  expect(await setUp(connect, "host")).toMatchObject({ exitCode: 0 });
  expect((await setUp(connect, "none")).exitCode).not.toBe(0);
  for (const network of ["none", "host"] as const) {
    const { output } = await setUp(`cat ${root}/person/.ssh/id_ed25519 ${root}/other/theirs.txt`, network);
    expect(output).not.toMatch(/key\n|theirs\n/);
  }
});

test("npm in a tool call does not look for a newer npm, which took it longer than its own start", async () => {
  const declared = `echo '{ "scripts": { "hello": "echo hello" } }' > package.json`;
  const { content } = await bash(`cd /tmp && ${declared} && npm run --silent hello && ls ~/.npm`);
  expect(content).toContain("hello\n");
  expect(content).not.toContain("_update-notifier-last-checked");
});
