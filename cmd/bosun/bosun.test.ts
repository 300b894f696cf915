/** The real binary, as a person starts it. */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { openLog } from "../../pkg/storage/log/log.ts";
import { nodeFileSystem } from "../../pkg/storage/node-file-system.ts";
import { packageRoot } from "../../pkg/system/package-root.ts";
import { withObjects } from "./operator-client/connect.ts";
import { createAll, openRegistry, startOperator, temporaryWorkspace } from "./testing/operator.ts";

const launcher = path.join(packageRoot(), "bin", "bosun.mjs");
const project =
  "{ apiVersion: bosun.dev/v1alpha1, kind: Project, metadata: { name: retry }, spec: { title: Retry } }";
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Result {
  exitCode: number;
  stdout: string;
  stderr: string;
}

function bosun(cwd: string, ...args: string[]): Promise<Result> {
  return bosunWith(process.env, cwd, ...args);
}

function bosunWith(env: NodeJS.ProcessEnv, cwd: string, ...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [launcher, ...args],
      { cwd, env, encoding: "utf8" },
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

test("a command reaches the operator over its socket, from a folder below the repository too", async () => {
  await using operator = await startOperator(project);
  const below = mkdtempSync(path.join(operator.folder.repository, "below-"));
  expect(await bosun(below, "get", "projects", "-o", "name")).toEqual({
    exitCode: 0,
    stdout: "project/retry\n",
    stderr: "",
  });
});

test("with no operator the last known state is shown and said to be that; writes say what to do", async () => {
  const folder = temporaryWorkspace();
  folders.push(folder.repository);
  const log = openLog({ directory: folder.log, fs: nodeFileSystem });
  await createAll(await openRegistry(log), project);
  await log.close();

  const read = await bosun(folder.repository, "get", "projects", "-o", "name");
  expect(read).toEqual({
    exitCode: 0,
    stdout: "project/retry\n",
    stderr: "No operator is running; last known state.\n",
  });
  const write = await bosun(folder.repository, "skip", "retry");
  expect(write).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringContaining("Start one with `bosun up`"),
  });
});

test("what is known last is shown too where an operator is suspended: it was waited for, and then nothing was", async () => {
  const folder = temporaryWorkspace();
  folders.push(folder.repository);
  const log = openLog({ directory: folder.log, fs: nodeFileSystem });
  await createAll(await openRegistry(log), project);
  await log.close();
  // As the kernel does for a suspended process: it takes the connection, and nobody answers.
  const suspended = createServer(() => undefined).listen(folder.socket);
  await once(suspended, "listening");
  const notes: string[] = [];
  const context = { cwd: folder.repository, note: (line: string) => void notes.push(line) };
  const { items } = await withObjects(context, ({ client }) => client.list("Project"), { patienceMs: 50 });
  suspended.close();
  expect(items).toMatchObject([{ metadata: { name: "retry" } }]);
  expect(notes).toEqual([expect.stringMatching(/gave no answer in 0.05 s.*`bosun up`.*last known state/)]);
});

test("outside of a workspace it says how to make one", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-none-"));
  folders.push(folder);
  expect(await bosun(folder, "status")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("bosun init"),
  });
});

test("`up` becomes, under the same pid, a process with a small heap; its end and its words are the same", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-none-"));
  folders.push(folder);
  const says = path.join(folder, "says.mjs");
  writeFileSync(says, "console.log(process.pid, ...process.execArgv);\n");
  const ran = await new Promise<Result & { pid: number }>((resolve) => {
    const options = { cwd: folder, env: { ...process.env, NODE_OPTIONS: `--import=${says}` } };
    const child = execFile(process.execPath, [launcher, "up"], options, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr, pid: child.pid ?? 0 });
    });
  });
  expect(ran.stdout).toBe(`${ran.pid}\n${ran.pid} --max-semi-space-size=2 --expose-gc\n`);
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("bosun init") });
  expect(ran.stderr).not.toContain("ExperimentalWarning");
});

test("wrong usage has exit code 2, help and version have 0", async () => {
  expect(await bosun(tmpdir(), "gett")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("Did you mean get?"),
  });
  expect(await bosun(tmpdir(), "get")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("Run `bosun get --help` for what it takes."),
  });
  expect(await bosun(tmpdir())).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Steering:") });
  expect(await bosun(tmpdir(), "--help")).toMatchObject({ exitCode: 0 });
  expect(await bosun(tmpdir(), "--version")).toEqual(await bosun(tmpdir(), "version"));
  expect(await bosun(tmpdir(), "version")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^bosun \d+\.\d+\.\d+ /),
  });
});

test("a machine without git is told to install it, and a bare repository to be cloned", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-cmd-"));
  folders.push(folder);
  const withoutGit = { ...process.env, PATH: folder };
  const install = "There is no `git` on PATH. Install it, then run it again.";
  const [init, doctor] = await Promise.all(
    ["init", "doctor"].map((command) => bosunWith(withoutGit, folder, command)),
  );
  expect(init).toMatchObject({ exitCode: 1, stderr: `bosun: Cannot start git. ${install}\n` });
  expect(doctor).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(install) });
  execFileSync("git", ["init", "-q", "--bare", folder]);
  const cloned = "is a bare repository: it has no files to work on.";
  const clone = "Clone it, and run Bosun in the clone.";
  expect((await bosun(folder, "init")).stderr).toContain(`${cloned} ${clone}`);
  expect((await bosun(folder, "doctor")).stdout).toMatch(`${cloned}\n      ${clone}`);
});

test("a reader that has seen enough ends it quietly", async () => {
  await using operator = await startOperator(project);
  const line = `"${process.execPath}" "${launcher}" get project retry -o json | head -n 1`;
  const result = await new Promise<Result>((resolve) => {
    execFile(
      "bash",
      ["-c", line],
      { cwd: operator.folder.repository, encoding: "utf8" },
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
  expect(result).toEqual({ exitCode: 0, stdout: "{\n", stderr: "" });
});
