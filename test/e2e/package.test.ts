/**
 * What people install: the package, packed and installed by npm, with no source of ours beside it, run by the oldest Node that
 * package.json allows, or by this one where that is not there.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sandbox } from "../../pkg/sandbox/testing/need-sandbox.ts";
import { signalIfAlive } from "../../pkg/system/testing/signal-if-alive.ts";
import { findOldestNode } from "../oldest-node/find.ts";
import { processesOf } from "./processes.ts";

const packageFolder = path.resolve(import.meta.dirname, "../..");
const run = promisify(execFile);
const node = findOldestNode() ?? process.execPath;

/** npm may have to fetch what no cache has, and a whole project is worked on; in milliseconds. */
const limitMs = 240_000;

const project = `apiVersion: bosun.dev/v1alpha1
kind: Project
metadata:
  name: greet
spec:
  title: Greet by name
  description: Say hello to whoever is named.
  tasks:
    - id: T-1
      title: Say the name
  acceptanceCriteria:
    - id: AC-1
      text: The greeting holds the name.
`;

let folder: string;
let repository: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-package-"));
  const app = path.join(folder, "app");
  repository = path.join(folder, "greeter");
  mkdirSync(app);
  writeFileSync(path.join(app, "package.json"), '{ "private": true }');
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packageFolder });
  const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const install = ["install", "--silent", "--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", [...install, path.join(folder, tarball)], { cwd: app });
  makeRepository();
}, limitMs);

afterAll(async () => {
  for (const { pid } of await processesOf(folder)) signalIfAlive(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function makeRepository(): void {
  mkdirSync(repository);
  const git = (...args: string[]): void => void execFileSync("git", ["-C", repository, ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "A person");
  git("config", "user.email", "person@bosun.invalid");
  writeFileSync(
    path.join(repository, "package.json"),
    JSON.stringify({ name: "greeter", type: "module", scripts: { test: "node --test" } }),
  );
  writeFileSync(
    path.join(repository, "greet.test.js"),
    'import test from "node:test";\ntest("greets", () => {});\n',
  );
  git("add", "--all");
  git("commit", "--quiet", "--message=Begin");
}

/** Runs the installed command in the repository. */
async function bosun(...args: string[]): Promise<string> {
  const command = path.join(folder, "app/node_modules/.bin/bosun");
  const { stdout } = await run(node, [command, ...args], {
    cwd: repository,
    env: { ...process.env, XDG_STATE_HOME: path.join(folder, "state") },
    timeout: limitMs,
  });
  return stdout;
}

test(
  "the installed package holds no sources, and sets up, checks and rehearses a repository to its end",
  async () => {
    const installed = path.join(folder, "app/node_modules/bosun");
    expect(readdirSync(installed, { recursive: true, encoding: "utf8" }).filter(isSource)).toEqual([]);

    await bosun("init", "--budget", "5");
    const declared = path.join(repository, ".claude-sessions");
    expect(existsSync(path.join(declared, "workspace.yaml"))).toBe(true);
    rmSync(path.join(declared, "projects/example.yaml"));
    writeFileSync(path.join(declared, "projects/greet.yaml"), project);

    expect(await examined()).toContain(`Repository: ${repository}`);

    const said = await bosun("up", "--rehearse", "--until-settled");
    expect(said).toContain("All state is kept");
    expect(await processesOf(folder)).toEqual([]);
    const merged = execFileSync(
      "git",
      ["-C", repository, "show", "rehearsal/main:docs/rehearsal/greet-by-name.md"],
      {
        encoding: "utf8",
      },
    );
    expect(merged).toContain("# Greet by name");
  },
  limitMs,
);

/** What `bosun doctor` says. A machine without a sandbox is one that it finds fault with. */
async function examined(): Promise<string> {
  if (sandbox.available) return await bosun("doctor");
  const { stdout, stderr } = await bosun("doctor").then(
    () => expect.unreachable("The doctor must find the missing sandbox."),
    (refusal: { stdout: string; stderr: string }) => refusal,
  );
  expect(`${stdout}${stderr}`).toContain(sandbox.why);
  return stdout;
}

/** Node strips no types beneath node_modules: whatever still is a source would not run. */
function isSource(file: string): boolean {
  return file.endsWith(".ts") && !file.includes("node_modules");
}
