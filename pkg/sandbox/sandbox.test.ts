import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, type TestContext, test, vi } from "vitest";

import { systemClock } from "../system/system.ts";
import { workspacePlaces } from "./places.ts";
import { type RunResult, runCommand } from "./run.ts";
import { sandboxed, unsandboxed } from "./sandbox.ts";
import { needSandbox } from "./testing/need-sandbox.ts";

const clock = systemClock;

let root: string;
let repositoryPath: string;
let stateDirectory: string;
let checkout: string;
let other: string;

beforeEach(async () => {
  // Not below /tmp: that is private inside, and would be hidden without being named.
  root = await realpath(await mkdtemp(join(process.cwd(), "node_modules", ".bosun-sandbox-test-")));
  repositoryPath = join(root, "repository");
  stateDirectory = join(root, "state");
  checkout = join(stateDirectory, "checkouts", "agent-1-retry-1");
  other = join(stateDirectory, "checkouts", "agent-2-search-1");
  await write(join(repositoryPath, ".git", "config"), "[remote]\n");
  await write(join(repositoryPath, ".git", "objects", "aa", "object"), "an object\n");
  await write(join(repositoryPath, ".claude-sessions", ".bosun", "kubeconfig"), "token: secret\n");
  await write(join(other, "work.txt"), "of another agent\n");
  await write(join(checkout, "file.txt"), "mine\n");
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
}

function inside(context: TestContext, command: string, timeoutSeconds = 100): Promise<RunResult> {
  needSandbox(context);
  const places = workspacePlaces({ repositoryPath, stateDirectory });
  const launch = sandboxed(command, {
    checkout,
    hide: places.hide,
    extraReadOnly: places.readOnly,
    network: "none",
  });
  return runCommand({ launch, cwd: checkout, timeoutSeconds, clock });
}

test("a sandboxed command reads and writes its own checkout and gives its exit code back", async (context) => {
  const result = await inside(context, "cat file.txt; echo done > made.txt; exit 7");

  expect(result).toMatchObject({ exitCode: 7, timedOut: false, output: "mine\n" });
  expect(await readFile(join(checkout, "made.txt"), "utf8")).toBe("done\n");
});

test("a sandboxed command sees no kubeconfig, no other checkout and nothing of the repository but its objects", async (context) => {
  for (const hidden of [
    join(repositoryPath, ".claude-sessions", ".bosun", "kubeconfig"),
    join(repositoryPath, ".git", "config"),
    join(other, "work.txt"),
  ]) {
    const result = await inside(context, `cat ${hidden}`);
    expect(result.output, hidden).toContain("No such file");
    expect(result.exitCode, hidden).not.toBe(0);
  }
  const objects = await inside(context, `cat ${repositoryPath}/.git/objects/aa/object`);
  expect(objects.output).toBe("an object\n");
});

test("a sandboxed command has an empty HOME, and the person's keys are not there", async (context) => {
  const home = process.env.HOME;
  process.env.HOME = join(root, "person");
  try {
    await write(join(root, "person", ".ssh", "id_ed25519"), "a private key\n");
    const result = await inside(
      context,
      `ls -A "$HOME"; cat ${root}/person/.ssh/id_ed25519; echo "HOME is $HOME"`,
    );
    expect(result.output).toContain("HOME is /tmp/home");
    expect(result.output).not.toContain("a private key");
  } finally {
    process.env.HOME = home;
  }
});

test("a checkout for a reviewer can be read only", async (context) => {
  needSandbox(context);
  const launch = sandboxed("cat file.txt; touch planted", {
    checkout,
    checkoutWritable: false,
    network: "none",
  });
  const result = await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock });

  expect(result.output).toMatch(/^mine\n/);
  expect(result.exitCode).not.toBe(0);
});

test("the other work trees of the repository are hidden too", async (context) => {
  const linked = join(root, "linked");
  await write(join(linked, "notes.txt"), "of the person\n");
  await write(join(repositoryPath, ".git", "worktrees", "linked", "gitdir"), `${linked}/.git\n`);

  expect((await inside(context, `cat ${linked}/notes.txt`)).exitCode).not.toBe(0);
});

test("a sandboxed command gets no variable that is not on the list", async (context) => {
  process.env.ANTHROPIC_API_KEY = "not-for-agents";
  try {
    const result = await inside(context, "env; tr '\\0' '\\n' < /proc/1/environ");
    expect(result.output).not.toContain("not-for-agents");
  } finally {
    delete process.env.ANTHROPIC_API_KEY;
  }
});

test("a sandboxed command cannot write outside its checkout, not even where places are hidden", async (context) => {
  for (const place of ["/etc", repositoryPath, `${repositoryPath}/.git/objects`, stateDirectory, homedir()]) {
    const result = await inside(context, `touch ${place}/planted`);
    expect(result.exitCode, `${place}: ${result.output}`).not.toBe(0);
  }
});

test("a sandboxed root cannot take away what hides", async (context) => {
  const result = await inside(context, `umount ${repositoryPath} || unshare -Ur -m umount ${repositoryPath}`);

  expect(result.exitCode).not.toBe(0);
});

test("a sandboxed command cannot reach a server on the loopback of the host", async (context) => {
  const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const result = await inside(context, `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`);
    expect(result.exitCode).not.toBe(0);
    expect(result.output).not.toMatch(/^reached/m);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("node and git run in a sandbox wherever they are installed", async (context) => {
  const result = await inside(context, "node --print 6*7 && git --version && npm --version");

  expect(result.output).toMatch(/^42\ngit version/);
  expect(result.exitCode).toBe(0);
});

test("what a version manager's shim on PATH starts runs, and nothing else of the manager's folder is shown", async (context) => {
  const manager = join(repositoryPath, ".pyenv");
  const script = (text: string) => `#!/bin/sh\n${text}\n`;
  await write(join(manager, "shims", "python9"), script(`exec ${manager}/libexec/pyenv exec python9`));
  await write(join(manager, "libexec", "pyenv"), script(`exec ${manager}/versions/9.0/bin/python9`));
  await write(join(manager, "versions", "9.0", "bin", "python9"), script("echo python 9"));
  await write(join(manager, "token"), "secret");
  for (const program of ["shims/python9", "libexec/pyenv", "versions/9.0/bin/python9"])
    await chmod(join(manager, program), 0o755);
  vi.stubEnv("PATH", `${join(manager, "shims")}:${process.env.PATH}`);
  const result = await inside(context, `python9; cat ${manager}/token`).finally(() => vi.unstubAllEnvs());

  expect(result.output).toMatch(/^python 9\n/);
  expect(result.output).toContain("No such file");
  expect(result.output).not.toContain("secret");
});

test("rustup finds its toolchains, though HOME is another and they lie in a hidden place", async (context) => {
  const rustup = join(repositoryPath, ".rustup");
  await write(join(rustup, "toolchains", "stable", "bin", "cargo"), "a cargo");
  vi.stubEnv("RUSTUP_HOME", rustup);
  const result = await inside(context, "cat $RUSTUP_HOME/toolchains/stable/bin/cargo").finally(() =>
    vi.unstubAllEnvs(),
  );

  expect(result).toMatchObject({ exitCode: 0, output: "a cargo" });
});

test("a time-out kills also the children that left the group and the session", async (context) => {
  const result = await inside(
    context,
    `(setsid sleep ${named(1234)} &) ; (nohup setsid sleep ${named(1234)} &); sleep ${named(1234)}`,
    0.5,
  );

  expect(result.timedOut).toBe(true);
  expect(await processesOf(named(1234))).toEqual([]);
});

test("a sandboxed command dies with the operator that started it, however that dies", async (context) => {
  needSandbox(context);
  const script = `
    import { runCommand } from ${JSON.stringify(join(import.meta.dirname, "run.ts"))};
    import { sandboxed } from ${JSON.stringify(join(import.meta.dirname, "sandbox.ts"))};
    import { systemClock } from ${JSON.stringify(join(import.meta.dirname, "..", "system", "system.ts"))};
    const launch = sandboxed("touch started; setsid sleep ${named(6789)}", { checkout: ${JSON.stringify(checkout)}, network: "none" });
    await runCommand({ launch, cwd: "/", timeoutSeconds: 600, clock: systemClock });
  `;
  const operator = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    stdio: "ignore",
  });
  await expect.poll(() => existsSync(join(checkout, "started"))).toBe(true);
  operator.kill("SIGKILL");

  await expect.poll(() => processesOf(named(6789))).toEqual([]);
});

test("an unsandboxed command says so and leaves no child behind either", async () => {
  const launch = unsandboxed(`(setsid sleep ${named(2345)} &) ; echo started`, { home: checkout });
  const result = await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock });

  expect(launch.contained).toBe(false);
  expect(result).toMatchObject({ exitCode: 0, output: "started\n" });
  expect(await processesOf(named(2345))).toEqual([]);
});

test("a command gives way to what else runs, and so does its session where Linux groups by session; this one does not", async (context) => {
  const own = await ownPriority();
  const launch = unsandboxed(priority, { home: checkout });
  const bare = async () => (await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock })).output;
  // Not the one of this session: the one that a machine or container begins with is in no group, as it may be where CI runs.
  const grouped = (await ownPriority({ detached: true })).session !== undefined;
  const lower = { process: Math.min(19, own.process + 10), session: grouped ? 10 : undefined };

  // Of two that begin in the same tenth of a second, one is refused for its session.
  await expect.poll(async () => read(await bare())).toEqual(lower);
  await expect.poll(async () => read((await inside(context, priority)).output)).toEqual(lower);
  expect(await ownPriority()).toEqual(own);
});

test("what the operator does itself in a sandbox does not give way", async (context) => {
  needSandbox(context);
  const launch = sandboxed(priority, { checkout, network: "none", urgent: true });
  const { output } = await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock });

  expect(read(output).process).toBe((await ownPriority()).process);
});

test("an aborted command ends at once and is not called timed out", async () => {
  const controller = new AbortController();
  const launch = unsandboxed("sleep 3456.7", { home: checkout });
  const running = runCommand({
    launch,
    cwd: checkout,
    timeoutSeconds: 100,
    clock,
    signal: controller.signal,
  });
  controller.abort();

  expect(await running).toMatchObject({ exitCode: 137, timedOut: false });
});

test("of much output the tail is kept", async () => {
  const launch = unsandboxed("seq 1 20000", { home: checkout });
  const result = await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock, maxOutputBytes: 100 });

  expect(result.output).toHaveLength(100);
  expect(result.output.endsWith("19999\n20000\n")).toBe(true);
});

test("a program that does not exist is a result, not an exception", async () => {
  const launch = unsandboxed(["no-such-program"], { home: checkout });

  expect(await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock })).toMatchObject({
    exitCode: 127,
  });
});

/** Tells the niceness of the process that runs it and of its session. */
const priority = "nice; cat /proc/self/autogroup 2> /dev/null || true";

/** The session's is absent where there is none. */
function read(told: string): { process: number; session: number | undefined } {
  const [, session] = / nice (-?\d+)/.exec(told) ?? [];
  return { process: Number.parseInt(told, 10), session: session === undefined ? undefined : Number(session) };
}

async function ownPriority({ detached = false } = {}): Promise<ReturnType<typeof read>> {
  const child = spawn("sh", ["-c", priority], { stdio: ["ignore", "pipe", "inherit"], detached });
  return read(await text(child.stdout));
}

/** So many seconds, and a fraction of one by which another run of these tests is not taken for this one. */
function named(seconds: number): string {
  return `${seconds}.${process.pid}`;
}

async function processesOf(argument: string): Promise<readonly string[]> {
  const launch = unsandboxed(["ps", "-eo", "stat=,args="], { home: checkout });
  const { output } = await runCommand({ launch, cwd: checkout, timeoutSeconds: 100, clock });
  return output.split("\n").filter((line) => line.includes(`sleep ${argument}`) && !line.startsWith("Z"));
}
