import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, type TestContext, test, vi } from "vitest";
import { systemClock as clock } from "../system/system.ts";
import { compiledNpm, compiledNpmFolder, startsNpm } from "./compiled-npm.ts";
import { keepCompiledNpm } from "./keep-compiled-npm.ts";
import { runCommand } from "./run.ts";
import { sandboxed } from "./sandbox.ts";
import { needSandbox } from "./testing/need-sandbox.ts";

let root: string;
let kept: string;
let checkout: string;
const path = process.env.PATH ?? "";

beforeEach(async () => {
  // Not below /tmp, which is private inside.
  root = await realpath(await mkdtemp(join(process.cwd(), "node_modules", ".bosun-npm-test-")));
  kept = join(root, "kept");
  checkout = join(root, "checkout");
  await mkdir(checkout);
  await writeFile(join(checkout, "package.json"), '{ "scripts": { "hello": "echo hello" } }\n');
  vi.stubEnv("NODE_COMPILE_CACHE", kept);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

function keep(refuseStopped = (): void => undefined): Promise<void> {
  return keepCompiledNpm({ clock, signal: new AbortController().signal, marks: {}, refuseStopped });
}

async function inside(command: string): Promise<string> {
  const launch = sandboxed(command, { checkout, network: "none", env: { CI: "true" } });
  return (await runCommand({ launch, cwd: checkout, timeoutSeconds: 60, clock })).output;
}

test("npm in a sandbox is not compiled anew once what was compiled of it is kept", async (context: TestContext) => {
  needSandbox(context);
  const traced = "NODE_DEBUG_NATIVE=COMPILE_CACHE npm run --silent hello 2>&1";
  const before = await inside(traced);
  expect(before).toMatch(/^hello$/m);
  expect(before).toContain("writing cache for CommonJS");

  await keep();
  const after = await inside(traced);
  expect(after).toMatch(/^hello$/m);
  expect(after).toContain("was accepted");
  expect(after).not.toContain("writing cache for CommonJS");
});

test("no command changes what is kept of npm, and each keeps beside it what it likes", async (context) => {
  needSandbox(context);
  await keep();
  const { folder, files } = compiledNpm(path) ?? { folder: "", files: [] };
  const texts = () => Promise.all(files.map((file) => readFile(join(folder, file), "base64")));
  const before = await texts();
  expect(before.length).toBeGreaterThan(10);

  const output = await inside(`# as npm would
    cd /tmp/node-compile-cache/*/
    for link in *; do echo bad > $link; rm $link; echo own > $link; done
    cat * | sort -u
    touch ${folder}/more && echo changed`);
  expect(output).toMatch(/^own$/m);
  expect(output).toContain("Read-only file system");
  expect(output).not.toContain("changed");
  expect(await texts()).toEqual(before);
  expect(compiledNpm(path)?.files).toEqual(files);
});

test("while a stop is in force npm is not run to be kept, and nothing is left of the trial", async (context) => {
  needSandbox(context);
  await keep(() => {
    throw new Error("The emergency stop is in force.");
  });
  expect(await readdir(kept)).toEqual([]);
});

test("nothing is kept of an npm that says no version of itself, as a version manager's shim", async () => {
  const shims = join(root, "shims");
  await mkdir(shims);
  await writeFile(join(shims, "npm"), "#!/bin/sh\n", { mode: 0o755 });
  await symlink(process.execPath, join(shims, "node"));

  expect(compiledNpmFolder(shims)).toBeUndefined();
  expect(compiledNpmFolder(join(root, "nowhere"))).toBeUndefined();
  expect(dirname(compiledNpmFolder(path) ?? "")).toBe(kept);
});

test("what is kept and can't be read is as good as nothing", async () => {
  expect(compiledNpm(path)).toBeUndefined();
  await mkdir(kept);
  await writeFile(compiledNpmFolder(path) ?? "", "no folder");
  expect(compiledNpm(path)).toBeUndefined();
});

test("another version of npm, and another Node, have a folder of their own", async () => {
  const versions = new Set<string | undefined>();
  for (const version of ["1.0.0", "2.0.0"]) {
    const bin = join(root, "npm", "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "npm"), "");
    await writeFile(join(root, "npm", "package.json"), JSON.stringify({ version }));
    versions.add(compiledNpmFolder([bin, path].join(delimiter)));
    await writeFile(join(bin, "node"), version);
    versions.add(compiledNpmFolder([bin, path].join(delimiter)));
    await rm(bin, { recursive: true });
  }
  expect(versions.size).toBe(4);
});

test.each([
  ["npm test", true],
  ["cd app && npm run --silent lint", true],
  ["npx eslint .", true],
  ["make test", false],
  ["node --test", false],
])("whether %o starts npm: %s", (command, does) => {
  expect(startsNpm(command)).toBe(does);
});
