import { execFile } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openCommitSource } from "../../pkg/git/commit-source.ts";
import { type OpenQualityOptions, openQuality, type QualityStop } from "../../pkg/quality/open.ts";
import { workspacePlaces } from "../../pkg/sandbox/places.ts";
import { needSandbox, sandbox } from "../../pkg/sandbox/testing/need-sandbox.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { type QualityWorld, qualityContract, settled } from "../contracts/quality.contract.ts";
import { git, openRealWorld, type RealWorld, write } from "./repository-world.ts";

const worlds: RealWorld[] = [];
const stops: AbortController[] = [];

interface World extends QualityWorld, Pick<RealWorld, "repositoryPath" | "stateDirectory"> {
  /** Ends the operator: running checks stop. */
  stop: AbortController;
}

async function open(
  sandbox: "off" | "bubblewrap",
  options: Partial<OpenQualityOptions> = {},
): Promise<World> {
  const real = await openRealWorld();
  worlds.push(real);
  const { repositoryPath, stateDirectory } = real;
  const stop = new AbortController();
  stops.push(stop);
  const quality = await openQuality({
    source: await openCommitSource({ repositoryPath, stateDirectory }),
    stateDirectory,
    sandbox: sandbox === "off" ? undefined : workspacePlaces({ repositoryPath, stateDirectory }),
    clock: systemClock,
    signal: stop.signal,
    ...options,
  });
  return {
    quality,
    repositoryPath,
    stateDirectory,
    stop,
    base: await git(repositoryPath, "rev-parse", "HEAD"),
    async commit(parent, files) {
      await git(repositoryPath, "checkout", "--quiet", "--detach", parent);
      for (const [path, text] of Object.entries(files)) {
        if (text === undefined) await rm(join(repositoryPath, path));
        else await write(repositoryPath, { [path]: text });
      }
      await git(repositoryPath, "add", "-A", "--force");
      await git(repositoryPath, "commit", "--quiet", "-m", `Change ${Object.keys(files).join(", ")}`);
      return git(repositoryPath, "rev-parse", "HEAD");
    },
    commands: {
      passes: { run: "date +%s%N", timeoutSeconds: 60 },
      fails: { run: "echo no; exit 3", timeoutSeconds: 60 },
      isMissing: { run: "no-such-program --check", timeoutSeconds: 60 },
      runsNoTest: { run: "echo '# tests 0'", timeoutSeconds: 60 },
      neverEnds: { run: "sleep 4567.8", timeoutSeconds: 0.3 },
    },
  };
}

afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort(new Error("The test is over."));
  for (const world of worlds.splice(0)) await world.remove();
});

qualityContract("quality without a sandbox", () => open("off"));
if (sandbox.available) qualityContract("quality in the sandbox", () => open("bubblewrap"));
else console.warn(`Skipped the contract of quality in the sandbox: ${sandbox.why}`);

async function result(world: World, run: string, name: "setup" | "test" = "test") {
  const observation = await settled(world.quality, world.base, { [name]: { run, timeoutSeconds: 60 } });
  if (observation.is !== "done" || observation.results[0] === undefined) throw new Error("No result.");
  return observation.results[0];
}

describe("checks", () => {
  test("see the files of the commit alone, in a clean git checkout", async (context) => {
    needSandbox(context);
    const world = await open("bubblewrap");
    await write(world.repositoryPath, { "untracked.txt": "of the person\n" });
    const { output } = await result(world, "ls; git status --porcelain; git rev-parse HEAD");

    expect(output).toBe(`notes.txt\n${world.base}\n`);
  });

  test("reach neither the repository nor the state folder", async (context) => {
    needSandbox(context);
    const world = await open("bubblewrap");
    const { output } = await result(world, `ls -A ${world.repositoryPath}; touch ${world.stateDirectory}/x`);

    expect(output).not.toContain("notes.txt");
    expect(existsSync(join(world.stateDirectory, "x"))).toBe(false);
  });

  test("reach the network in setup alone, and there as the workspace allows it", async (context) => {
    needSandbox(context);
    const command = { run: "readlink /proc/self/ns/net", timeoutSeconds: 60 };
    const host = readlinkSync("/proc/self/ns/net");
    for (const setupNetwork of [false, true]) {
      const world = await open("bubblewrap", { setupNetwork: () => setupNetwork });
      const seen = await settled(world.quality, world.base, { setup: command, test: command });
      const isHosts = seen.is === "done" ? seen.results.map(({ output }) => output.trim() === host) : [];
      expect(isHosts).toEqual([setupNetwork, false]);
    }
  });

  test("leave no checkout behind", async () => {
    const world = await open("off");
    await result(world, "touch made.txt; mkdir -p deep/er");

    // Whoever waits for the result does not wait for this.
    await expect.poll(() => readdir(join(world.stateDirectory, "checks", "work"))).toEqual([]);
  });

  test("asked for twice at once run once", async () => {
    const world = await open("off");
    const commands = { test: world.commands.passes };
    const both = await Promise.all([1, 2].map(() => settled(world.quality, world.base, commands)));

    expect(both[0]).toEqual(both[1]);
    expect(await readdir(join(world.stateDirectory, "checks", "results"))).toHaveLength(1);
  });

  test("have their results still after a restart", async () => {
    const world = await open("off");
    const commands = { test: world.commands.passes };
    const before = await settled(world.quality, world.base, commands);
    const { repositoryPath, stateDirectory } = world;
    const again = await openQuality({
      source: await openCommitSource({ repositoryPath, stateDirectory }),
      stateDirectory,
      sandbox: undefined,
      clock: systemClock,
      signal: new AbortController().signal,
    });

    expect(await again.checks(world.base, commands)).toEqual(before);
  });

  test.each(["before", "after"])(
    "that the operator's end cuts short %s they have begun have no result",
    async (when) => {
      const world = await open("off");
      const begun = join(world.repositoryPath, "..", "begun");
      const commands = { test: { run: `touch ${begun}; sleep 5678.9`, timeoutSeconds: 600 } };
      const ended = new Promise<void>((resolve) =>
        world.quality.subscribe(() => resolve(), new AbortController().signal),
      );
      await world.quality.checks(world.base, commands);
      if (when === "after") await expect.poll(() => existsSync(begun)).toBe(true);
      world.stop.abort(new Error("The operator ends."));
      await ended;

      expect(existsSync(join(world.stateDirectory, "checks", "results"))).toBe(false);
    },
  );

  test.each([0, 1])(
    "that an emergency stop ends have no result, and run anew once it is over (%i commands were started)",
    async (started) => {
      let looks = 0;
      let isOver = false;
      let release: () => void = () => undefined;
      const stop: QualityStop = {
        marks: {},
        inForce: () => !isOver && looks++ >= started,
        follow(_engaged, released) {
          release = released;
        },
      };
      const world = await open("off", { stop });
      const trace = join(world.repositoryPath, "..", "trace");
      const commands = { test: { run: `echo ran >> ${trace}; false`, timeoutSeconds: 60 } };
      const runs = () => (existsSync(trace) ? readFileSync(trace, "utf8").split("\n").length - 1 : 0);

      await world.quality.checks(world.base, commands);
      // Before a command, after it, and when all is told.
      await expect.poll(() => looks).toBe(started + 2);
      expect(runs()).toBe(started);
      isOver = true;
      release();
      expect(await settled(world.quality, world.base, commands)).toMatchObject({ is: "done", passed: false });
      expect(runs()).toBe(started + 1);
    },
  );

  test("that could not be run say why, once, and are tried again", async () => {
    const { base, repositoryPath, stateDirectory } = await open("off");
    const source = await openCommitSource({ repositoryPath, stateDirectory });
    let tries = 0;
    const failing: typeof source = {
      ...source,
      checkOut(commit, path) {
        tries += 1;
        return tries === 1 ? Promise.reject(new Error("The disk failed.")) : source.checkOut(commit, path);
      },
    };
    const { quality } = await open("off", { source: failing, stateDirectory });
    const told = new Promise<void>((resolve) =>
      quality.subscribe(() => resolve(), new AbortController().signal),
    );
    const commands = { test: { run: "true", timeoutSeconds: 60 } };
    expect(await quality.checks(base, commands)).toEqual({ is: "running" });
    await told;
    await expect(quality.checks(base, commands)).rejects.toThrow("The disk failed.");
    expect(await settled(quality, base, commands)).toMatchObject({ passed: true });
  });

  test("of a package without the script are Missing", async () => {
    const world = await open("off");
    const commit = await world.commit(world.base, { "package.json": '{ "name": "x", "scripts": {} }\n' });
    const commands = { test: { run: "npm run check-everything", timeoutSeconds: 60 } };

    expect(await settled(world.quality, commit, commands)).toMatchObject({
      results: [{ result: "Missing" }],
    });
  });

  test("by npm have what Node compiles of npm kept for later commands", async (context) => {
    needSandbox(context);
    const world = await open("bubblewrap");
    const kept = join(world.stateDirectory, "compiled");
    vi.stubEnv("NODE_COMPILE_CACHE", kept);
    onTestFinished(() => void vi.unstubAllEnvs());
    await result(world, "npm --version");

    const names = () => readdir(kept).catch(() => []);
    await expect.poll(names).toEqual([expect.stringMatching(/^npm-\w+$/)]);
  });

  test("by node's own runner with no test are NoTests, with one are Passed", async () => {
    const world = await open("off");
    const commands = { test: { run: "node --test", timeoutSeconds: 60 } };
    expect(await settled(world.quality, world.base, commands)).toMatchObject({
      results: [{ result: "NoTests" }],
    });

    const commit = await world.commit(world.base, {
      "a.test.js": 'require("node:test").test("a", () => {});\n',
    });
    expect(await settled(world.quality, commit, commands)).toMatchObject({ passed: true });
  });

  test("get the ignored files that the workspace includes, as they are by now, never over the commit's own, and never a secret", async () => {
    const world = await open("off");
    const { repositoryPath: from, stateDirectory } = world;
    await write(from, {
      ".gitignore": "fixtures/\n.env.local\n",
      "fixtures/big.json": "{}\n",
      ".env.local": "KEY=1\n",
      "new.txt": "not added yet\n",
    });
    const source = await openCommitSource({ repositoryPath: from, stateDirectory });
    const rest = {
      source,
      stateDirectory,
      sandbox: undefined,
      clock: systemClock,
      signal: world.stop.signal,
    };
    const commands = {
      test: { run: "grep -x {} fixtures/big.json && test ! -e new.txt", timeoutSeconds: 60 },
    };

    let patterns: readonly string[] = [];
    const including = await openQuality({
      ...rest,
      include: () => ({ from, patterns, ignored: source.ignored }),
    });
    expect(await settled(including, world.base, commands)).toMatchObject({ passed: false });
    patterns = ["fixtures/**", "*.txt"];
    expect(await settled(including, world.base, commands)).toMatchObject({ passed: true });
    // A folder that leads out of the work tree is passed by.
    await write(join(from, "../outside"), { "private.txt": "private\n" });
    await symlink("../outside", join(from, "linked"));
    patterns = ["fixtures/**", "*.txt", "linked/*.txt"];
    expect(await settled(including, world.base, commands)).toMatchObject({ passed: true });
    await write(from, { "fixtures/big.json": "[]\n" });
    expect(await settled(including, world.base, commands)).toMatchObject({ passed: false });
    // What the commit has itself stays as it has it.
    await write(from, { "fixtures/big.json": "{}\n" });
    await git(from, "add", "--force", "fixtures/big.json");
    await git(from, "commit", "--quiet", "-m", "Add what others ignore");
    const own = await git(from, "rev-parse", "HEAD");
    await git(from, "checkout", "--quiet", "--detach", world.base);
    // A link that a branch has in the place of a folder leads nothing out.
    await symlink(join(from, "../outside"), join(from, "fixtures"));
    await git(from, "add", "--force", "fixtures");
    await git(from, "commit", "--quiet", "-m", "Lead out");
    const leading = await git(from, "rev-parse", "HEAD");
    await git(from, "checkout", "--quiet", "--detach", world.base);
    await write(from, { "fixtures/big.json": "[]\n" });
    expect(await settled(including, own, commands)).toMatchObject({ passed: true });
    expect(await settled(including, leading, commands)).toMatchObject({ passed: false });
    expect(await readdir(join(from, "../outside"))).toEqual(["private.txt"]);

    await write(from, {
      ".gitignore": "fixtures/\n.env.local\nprivate.key\n.claude-sessions/\n",
      "private.key": "KEY\n",
      ".claude-sessions/budget.yaml": "kind: Budget\n",
    });
    for (const pattern of [".env*", "*.key", ".claude-sessions/**"]) {
      patterns = [pattern];
      const checks = including.checks(world.base, commands);
      await expect(checks, pattern).rejects.toMatchObject({ reason: "SecretIncluded" });
    }
  });
});

describe("an inspection", () => {
  const secret = `ghp_${"A1b2C3d4".repeat(4)}E5f6`;

  test("of a commit message with a secret finds it", async () => {
    const world = await open("off");
    await git(world.repositoryPath, "commit", "--quiet", "--allow-empty", "-m", `Use ${secret}`);
    const head = await git(world.repositoryPath, "rev-parse", "HEAD");

    expect(await world.quality.inspect(world.base, head, [])).toMatchObject([
      { kind: "Secret", commit: head },
    ]);
  });

  test("is not switched off by a comment", async () => {
    const world = await open("off");
    const text = `// secretlint-disable\nconst token = "${secret}";\n// secretlint-enable\n`;
    const head = await world.commit(world.base, { "a.js": text });

    expect(await world.quality.inspect(world.base, head, [])).toMatchObject([
      { kind: "Secret", path: "a.js" },
    ]);
  });

  test("finds a key store under a name that says nothing, in the commit that had it", async () => {
    const world = await open("off");
    await write(world.repositoryPath, { "app/release.keystore": "" });
    await makeKeyStore(world.repositoryPath, "app/release.keystore");
    const bad = await world.commit(world.base, {});
    const head = await world.commit(bad, { "app/release.keystore": "taken out\n" });

    expect(await world.quality.inspect(world.base, head, [])).toMatchObject([
      { kind: "ProtectedPath", path: "app/release.keystore", commit: bad },
    ]);
  });

  test("judges what the commit holds, not what lies at the same path where the operator runs", async () => {
    const world = await open("off");
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(world.repositoryPath);
    const head = await world.commit(world.base, { "server.p12": "nothing\n" });
    await makeKeyStore(world.repositoryPath, "server.p12");

    expect(await world.quality.inspect(world.base, head, ["!*.p12"])).toEqual([]);
  });

  test("of a merge of the target finds what the merge itself adds, not what the target has", async () => {
    const world = await open("off");
    const target = await world.commit(world.base, { ".github/x.txt": "of the target\n" });
    const work = await world.commit(world.base, { "a.txt": "a\n" });
    await git(world.repositoryPath, "merge", "--quiet", "--no-ff", "-m", "Merge", target);
    const head = await git(world.repositoryPath, "rev-parse", "HEAD");

    expect(work).not.toBe(head);
    expect(await world.quality.inspect(target, head, [".github/**"])).toEqual([]);

    await git(world.repositoryPath, "checkout", "--quiet", "--detach", work);
    await git(world.repositoryPath, "merge", "--quiet", "--no-commit", "--no-ff", target);
    await write(world.repositoryPath, { ".github/x.txt": "of the merge\n", "b.txt": secret });
    await git(world.repositoryPath, "add", "-A");
    await git(world.repositoryPath, "commit", "--quiet", "-m", "Merge, and more");
    const merge = await git(world.repositoryPath, "rev-parse", "HEAD");
    // What a later commit takes back was in the history all the same.
    const taken = await world.commit(merge, { "b.txt": undefined, ".github/x.txt": "of the target\n" });
    expect(await world.quality.inspect(target, taken, [".github/**"])).toMatchObject([
      { kind: "ProtectedPath", path: ".github/x.txt", commit: merge },
      { kind: "Secret", path: "b.txt", commit: merge },
      { kind: "ProtectedPath", path: ".github/x.txt", commit: taken },
    ]);
  });
});

/** As Google's are: with the password by which secretlint knows their key files. */
async function makeKeyStore(directory: string, name: string): Promise<void> {
  const openssl = (args: readonly string[]) => promisify(execFile)("openssl", args, { cwd: directory });
  const made = ["-keyout", "../key.txt", "-out", "../certificate.txt"];
  await openssl(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test", ...made]);
  const given = ["-inkey", "../key.txt", "-in", "../certificate.txt", "-passout", "pass:notasecret"];
  await openssl(["pkcs12", "-export", ...given, "-out", name]);
}
