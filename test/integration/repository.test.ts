import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  appendFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { keepRef } from "../../pkg/git/layout.ts";
import { type OpenRepositoryOptions, openRepository } from "../../pkg/git/open.ts";
import { runProcess } from "../../pkg/git/process.ts";
import type { Checkout, GitClaim } from "../../pkg/git/repository.ts";
import { needSandbox, sandbox } from "../../pkg/sandbox/testing/need-sandbox.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { repositoryContract } from "../contracts/repository.contract.ts";
import { commit, everyByte, git, openRealWorld, type RealWorld, write } from "./repository-world.ts";

const worlds: RealWorld[] = [];

async function open(options: Partial<OpenRepositoryOptions> = {}): Promise<RealWorld> {
  const world = await openRealWorld(options);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.remove();
});

const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
const branch = "agent-1/project-101";
const claim: GitClaim = { project: "retry-uploads", number: 1, agent: "agent-1" };

async function claimed(world: RealWorld): Promise<Checkout> {
  await world.repository.recordClaim(claim);
  return world.repository.ensureCheckout(claim, { branch, identity, purpose: "execute" });
}

repositoryContract("git without a sandbox", () => open());
if (sandbox.available) {
  repositoryContract("git in the sandbox", () => open({ sandbox: "bubblewrap" }));
} else {
  console.warn(`Skipped the contract of git in the sandbox: ${sandbox.why}`);
}

describe("a checkout", () => {
  test("has no remote and borrows its objects", async () => {
    const world = await open();
    const checkout = await claimed(world);

    expect(await git(checkout.path, "remote")).toBe("");
    expect(await git(checkout.path, "config", "user.email")).toBe(identity.email);
    expect(await git(checkout.path, "count-objects")).toMatch(/^0 objects/);
    expect(await git(checkout.path, "branch", "--show-current")).toBe(branch);
    expect(await git(world.repositoryPath, "rev-parse", "refs/bosun/keep/retry-uploads-1")).toBe(
      checkout.base,
    );
  });

  test("does not appear before its base is kept, though its files are there", async () => {
    let refuses = true;
    const checkouts = (): string => join(world.stateDirectory, "checkouts");
    const files = async (): Promise<readonly string[]> => readdir(checkouts(), { recursive: true });
    const world: RealWorld = await open({
      runGit: async (request) => {
        if (!refuses || !request.stdin?.includes("refs/bosun/keep/")) return runProcess(request);
        await expect.poll(files).toContain("agent-1-retry-uploads-1.partial/notes.txt");
        return { exitCode: 128, stdout: Buffer.alloc(0), stderr: "fatal: no space left" };
      },
    });
    await expect(claimed(world)).rejects.toMatchObject({ reason: "GitFailed" });
    expect(await files()).toEqual([]);
    refuses = false;
    const { base } = await claimed(world);
    expect(await git(world.repositoryPath, "rev-parse", "refs/bosun/keep/retry-uploads-1")).toBe(base);
  });

  test("is filled with ignored files, which are no change, are saved by nobody and let it be removed", async () => {
    const files = { "settings[1].local": "mine\n", "deep/down here.json": "{}\n" };
    const world = await open({
      fill: async (checkout) => {
        await write(checkout, files);
        return Object.keys(files);
      },
    });
    const checkout = await claimed(world);
    expect(await git(checkout.path, "status", "--porcelain")).toBe("");
    await write(checkout.path, { "settings1.local": "another file\n" });
    expect(await world.repository.saveWork(claim, "Save", identity)).toMatchObject({ is: "present" });
    expect(await git(checkout.path, "ls-tree", "-r", "--name-only", "HEAD")).toBe(
      "notes.txt\nsettings1.local",
    );

    await world.repository.collect(claim, branch);
    expect(await world.repository.release(claim, "execute")).toBe("removed");
  });

  test("in which a file became a folder, or a folder a file, is saved as it is", async () => {
    const world = await open();
    const { path } = await claimed(world);
    await commit(path, { "folder/a.txt": "a\n" });
    await rm(join(path, "notes.txt"));
    await rm(join(path, "folder"), { recursive: true });
    await write(path, { "notes.txt/first.txt": "first\n", folder: "a file\n" });
    const saved = await world.repository.saveWork(claim, "Save", identity);
    if (saved.is !== "present") throw new Error(`The work is ${saved.is}.`);
    expect((await git(path, "ls-tree", "-r", "--name-only", saved.value)).split("\n")).toEqual([
      "folder",
      "notes.txt/first.txt",
    ]);
  });

  test("that is asked for twice at once is made once", async () => {
    const world = await open();
    const [one, other] = await Promise.all([claimed(world), claimed(world)]);
    expect(one).toEqual(other);
    expect(await git(one.path, "status", "--porcelain")).toBe("");
  });

  test("that was half made when the operator died is made anew", async () => {
    const world = await open();
    await world.repository.recordClaim(claim);
    const partial = join(world.stateDirectory, "checkouts", "agent-1-retry-uploads-1.partial");
    await write(partial, { "rest.txt": "of the crash\n" });
    const checkout = await claimed(world);

    expect((await readdir(checkout.path)).sort()).toEqual([".git", "notes.txt"]);
    expect(existsSync(partial)).toBe(false);
  });

  test("whose agent was killed in the middle of a commit can be committed in by the session that goes on", async () => {
    const world = await open();
    const checkout = await claimed(world);
    const theirs = join(world.repositoryPath, ".git/refs/heads/main.lock");
    await symlink(join(world.repositoryPath, ".git/refs/heads"), join(checkout.path, ".git/refs/linked"));
    const locks = ["index", "HEAD", `refs/heads/${branch}`].map((name) =>
      join(checkout.path, ".git", `${name}.lock`),
    );
    for (const file of [...locks, theirs]) await writeFile(file, "");
    await write(checkout.path, { "a.txt": "half done\n" });
    await expect(git(checkout.path, "add", "a.txt")).rejects.toThrow("index.lock");

    expect(await claimed(world)).toEqual(checkout);
    expect(await readFile(join(checkout.path, "a.txt"), "utf8")).toBe("half done\n");
    await commit(checkout.path, { "b.txt": "b\n" });
    // A link leads to the person's own refs, where git may be at work.
    expect(existsSync(theirs)).toBe(true);
  });

  test("whose index can't be put in place stays at its commit: nothing that was saved looks taken back", async () => {
    const world = await open();
    const { path, base } = await claimed(world);
    await write(path, { "a.txt": "half done\n" });
    const index = join(path, ".git/index");
    await rename(index, `${index}.aside`);
    await mkdir(index);

    await expect(world.repository.saveWork(claim, "Save", identity)).rejects.toThrow("index");
    await rm(index, { recursive: true });
    await rename(`${index}.aside`, index);
    expect(await git(path, "rev-parse", "HEAD")).toBe(base);
    expect(await git(path, "status", "--porcelain")).toBe("?? a.txt");
  });

  test("in which nothing was touched since git looked is removed without asking it again", async () => {
    let looks = 0;
    const world = await open({
      runGit: (request) => {
        if (request.args.some((arg) => arg.includes("status"))) looks += 1;
        return runProcess(request);
      },
    });
    const review: GitClaim = { ...claim, agent: "agent-9" };
    const options = { branch: "", identity, purpose: "review" } as const;
    await world.repository.ensureCheckout(review, options);
    expect([await world.repository.release(review, "review"), looks]).toEqual(["removed", 0]);

    const checkout = await world.repository.ensureCheckout(review, options);
    await write(checkout.path, { "notes.txt": "other\n" });
    expect([await world.repository.release(review, "review"), looks]).toEqual(["quarantined", 1]);

    const { path } = await claimed(world);
    await commit(path, { "a.txt": "one\n" });
    await world.repository.saveWork(claim, "Save", identity);
    await world.repository.collect(claim, branch);
    expect([await world.repository.release(claim, "execute"), looks]).toEqual(["removed", 2]);

    const again = await claimed(world);
    await commit(again.path, { "b.txt": "two\n" });
    await world.repository.saveWork(claim, "Save", identity);
    await git(again.path, "commit", "--quiet", "--allow-empty", "-m", "After that");
    expect([await world.repository.release(claim, "execute"), looks]).toEqual(["quarantined", 4]);
  });

  test("that was removed by hand leaves no ref once its base is held elsewhere: one stayed for ever", async () => {
    const world = await open();
    const keep = keepRef(claim, "execute");
    const kept = async (): Promise<string> =>
      (await git(world.repositoryPath, "for-each-ref", "--format=%(objectname)", keep)).trim();
    const released = (): Promise<string> => world.repository.release(claim, "execute");
    const base = (await git(world.repositoryPath, "commit-tree", "-m", "Of no branch", "main^{tree}")).trim();
    await world.repository.recordClaim(claim);
    const how = { branch, identity, purpose: "execute", from: base } as const;
    await write((await world.repository.ensureCheckout(claim, how)).path, { "new.txt": "precious\n" });
    expect(await released()).toBe("quarantined");

    await git(world.repositoryPath, "branch", "other", base);
    expect([await released(), await kept()]).toEqual(["absent", base]);
    const quarantine = join(world.stateDirectory, "quarantine");
    await rm(quarantine, { recursive: true });
    // Those of other claims, whose names begin with that of this one, stand on what is theirs.
    for (const other of ["12", "1-3", "1.x-2", "1-review"])
      await mkdir(join(quarantine, `agent-1-retry-uploads-${other}`), { recursive: true });
    await git(world.repositoryPath, "branch", "-D", "other");
    expect([await released(), await kept()]).toEqual(["absent", base]);
    await git(world.repositoryPath, "branch", "other", base);
    expect([await released(), await kept()]).toEqual(["absent", ""]);
  });

  test("in quarantine keeps every file, and says why it is there", async () => {
    const world = await open();
    const checkout = await claimed(world);
    await write(checkout.path, { "new.txt": "precious\n" });
    await world.repository.release(claim, "execute");
    const kept = join(world.stateDirectory, "quarantine", "agent-1-retry-uploads-1");

    expect(await readFile(join(kept, "new.txt"), "utf8")).toBe("precious\n");
    expect(await readFile(`${kept}.txt`, "utf8")).toContain("not committed");

    // One that is put there later takes the place of none.
    await write((await claimed(world)).path, { "new.txt": "as precious\n" });
    expect(await world.repository.release(claim, "execute")).toBe("quarantined");
    expect(await readFile(join(kept, "new.txt"), "utf8")).toBe("precious\n");
    expect(await readFile(join(`${kept}.2`, "new.txt"), "utf8")).toBe("as precious\n");
  });

  test("with more than a hundred new objects is collected whole", async () => {
    const world = await open();
    const checkout = await claimed(world);
    const files = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`f/${index}.txt`, `${index}\n`]),
    );
    const head = await commit(checkout.path, files);

    expect(await world.repository.collect(claim, branch)).toBe(head);
    await rm(checkout.path, { recursive: true });
    expect(await git(world.repositoryPath, "fsck", "--connectivity-only", head)).not.toContain("missing");
  });
});

test("a history that is not whole reaches no branch, whatever git has let in of it", async () => {
  const world = await open({
    runGit: (request) => {
      const args = request.args.filter((arg) => arg !== "--strict");
      return runProcess({
        ...request,
        args: args.includes("pack-objects") ? [...args, "--filter=blob:none"] : args,
      });
    },
  });
  const checkout = await claimed(world);
  await commit(checkout.path, { "a.txt": "a\n" });
  await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "GitFailed" });
  expect(await world.branch(branch)).toBeUndefined();
});

test.each([
  ["no JSON", "{"],
  ["no number", '{ "agent": "agent-1" }'],
  ["a number in quotes", '{ "number": "1", "agent": "agent-1" }'],
  ["half a number", '{ "number": 1.5, "agent": "agent-1" }'],
  ["no agent", '{ "number": 1 }'],
])(
  "a claim's ref with %s is nobody's claim: that is said, with what lets it be claimed again",
  async (_, text) => {
    const world = await open();
    const file = join(world.root, "claim.json");
    await writeFile(file, text);
    const blob = await git(world.repositoryPath, "hash-object", "-w", file);
    await git(world.repositoryPath, "update-ref", "refs/bosun/claims/retry-uploads", blob);

    const damaged = { reason: "ClaimDamaged", message: expect.stringContaining("git update-ref -d") };
    await expect(world.repository.recordClaim(claim)).rejects.toMatchObject(damaged);
    await git(world.repositoryPath, "update-ref", "-d", "refs/bosun/claims/retry-uploads");
    await world.repository.recordClaim(claim);
  },
);

test("a claim that is not recorded yet has no checkout and collects nothing: its turn may come", async () => {
  const world = await open();
  await claimed(world);
  const early = { ...claim, number: 2 };
  const wait = { name: "TransientError", reason: "ClaimNotRecorded" };
  for (const one of [early, { ...claim, project: "another" }]) {
    const asked = world.repository.ensureCheckout(one, { branch, identity, purpose: "execute" });
    await expect(asked).rejects.toMatchObject(wait);
    await expect(world.repository.collect(one, branch)).rejects.toMatchObject(wait);
  }
});

/** A world in which another agent gets claim 2 right before the first `transaction` of these lines. */
async function overtaken(transaction: RegExp): Promise<{ world: RealWorld; isOver(): boolean }> {
  let world: RealWorld | undefined;
  let over = false;
  world = await open({
    runGit: async (request) => {
      if (world !== undefined && !over && transaction.test(request.stdin ?? "")) {
        over = true;
        const newer = join(world.root, "newer.json");
        await writeFile(newer, JSON.stringify({ project: claim.project, number: 2, agent: "agent-2" }));
        const blob = await git(world.repositoryPath, "hash-object", "-w", newer);
        await git(world.repositoryPath, "update-ref", "refs/bosun/claims/retry-uploads", blob);
      }
      return runProcess(request);
    },
  });
  return { world, isOver: () => over };
}

test("a claim that ends between the look and the move collects nothing", async () => {
  const { world, isOver } = await overtaken(new RegExp(`^update refs/heads/${branch} `, "m"));
  const checkout = await claimed(world);
  await commit(checkout.path, { "late.txt": "late\n" });

  await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "StaleClaim" });
  expect(isOver()).toBe(true);
  expect(await world.branch(branch)).toBeUndefined();
});

test("of a checkout that has another branch out the claim's own is collected, and the other put aside with it", async () => {
  const world = await open();
  const { path } = await claimed(world);
  const head = await commit(path, { "own.txt": "own\n" });
  await git(path, "checkout", "-q", "-b", "aside");
  await commit(path, { "aside.txt": "aside\n" });
  expect(await world.repository.collect(claim, branch)).toBe(head);
  expect(await world.branch(branch)).toBe(head);
  expect(await world.repository.release(claim, "execute")).toBe("quarantined");
});

test("of a checkout whose HEAD and index are lost the claim's branch is collected, and it is put aside with the rest", async () => {
  const world = await open();
  const { path } = await claimed(world);
  const head = await commit(path, { "done.txt": "done\n" });
  for (const name of ["HEAD", "index"]) await rm(join(path, ".git", name));

  expect(await world.repository.collect(claim, branch)).toBe(head);
  expect(await world.branch(branch)).toBe(head);
  expect(await world.repository.release(claim, "execute")).toBe("quarantined");
});

test.each<{ object: string; wantState: object }>([
  { object: "HEAD", wantState: { is: "unknown", isDamaged: true } },
  { object: "HEAD:done.txt", wantState: { is: "present" } },
])(
  "of a checkout whose $object a loss of power has emptied nothing is collected, however often, and it can be put aside",
  async ({ object, wantState }) => {
    const world = await open();
    const { path } = await claimed(world);
    await commit(path, { "done.txt": "done\n" });
    const id = await git(path, "rev-parse", object);
    const file = join(path, ".git/objects", id.slice(0, 2), id.slice(2));
    await rm(file);
    await writeFile(file, "");

    expect(await world.repository.checkoutState(claim, "execute")).toMatchObject(wantState);
    await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({
      reason: "CheckoutDamaged",
    });
    expect(await world.branch(branch)).toBeUndefined();
    expect(await world.repository.release(claim, "execute")).toBe("quarantined");
  },
);

test("a claim that ends while there is nothing to bring is not told that it collected", async () => {
  const { world, isOver } = await overtaken(/^start\nverify \S+ \S+\nprepare/);
  const checkout = await claimed(world);
  const head = await commit(checkout.path, { "early.txt": "early\n" });
  expect(await world.repository.collect(claim, branch)).toBe(head);

  await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "StaleClaim" });
  expect(isOver()).toBe(true);
});

test("a claim that another operator was faster to record is refused, and recorded where it is the newer one", async () => {
  for (const number of [1, 3]) {
    const { world, isOver } = await overtaken(/^update refs\/bosun\/claims\//m);
    const recorded = world.repository.recordClaim({ ...claim, number });
    if (number < 2) await expect(recorded).rejects.toMatchObject({ reason: "StaleClaim" });
    else await recorded;
    expect(isOver()).toBe(true);
    expect(await world.repository.claimNumber(claim.project)).toBe(Math.max(number, 2));
  }
});

test("a claim that ends between the look and the keeping of its base gets no checkout", async () => {
  const { world, isOver } = await overtaken(new RegExp(`^update ${keepRef(claim, "execute")} `, "m"));
  await expect(claimed(world)).rejects.toMatchObject({ reason: "ClaimMoved" });
  expect(isOver()).toBe(true);
  expect(await world.repository.checkoutState(claim, "execute")).toEqual({ is: "absent" });
  expect(await git(world.repositoryPath, "for-each-ref", keepRef(claim, "execute"))).toBe("");
});

test("a branch that the person has checked out is not moved under them", async () => {
  const world = await open();
  const checkout = await claimed(world);
  const first = await commit(checkout.path, { "a.txt": "a\n" });
  await world.repository.collect(claim, branch);
  await git(world.repositoryPath, "worktree", "add", "--quiet", join(world.root, "look"), branch);
  await commit(checkout.path, { "b.txt": "b\n" });

  await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "BranchCheckedOut" });
  expect(await world.branch(branch)).toBe(first);
});

test("locks that a killed git left stop nobody: on an index or the settings of the operator's, on a ref of its own", async () => {
  const world = await open();
  const checkout = await claimed(world);
  await writeFile(join(world.stateDirectory, "git", "agent-1-retry-uploads-1", "index.lock"), "");
  expect(await world.repository.checkoutState(claim, "execute")).toMatchObject({ is: "present" });

  const lock = join(world.repositoryPath, ".git/refs/bosun/claims/retry-uploads.lock");
  await writeFile(lock, "");
  await expect(world.repository.recordClaim({ ...claim, number: 2 })).rejects.toMatchObject({
    reason: "RefBusy",
  });
  await utimes(lock, 1, 1);
  const { repositoryPath, stateDirectory } = world;
  await writeFile(join(stateDirectory, "operator.git", "config.lock"), "");
  const again = await openRepository({
    repositoryPath,
    stateDirectory,
    targetBranch: "main",
    mode: "real",
    clock: systemClock,
    sandbox: "off",
  });
  await again.recordClaim({ ...claim, number: 2 });
  expect(await again.claimNumber(claim.project)).toBe(2);
  expect(existsSync(checkout.path)).toBe(true);
});

describe("an operator whose successor has opened the repository", () => {
  test("moves no ref, whatever it had looked at before", async () => {
    const world = await open({ term: 7 });
    const { repositoryPath, stateDirectory, repository: stale } = world;
    const checkout = await claimed(world);
    const before = await stale.target();
    const target = before.is === "present" ? before.value : "";
    const head = await commit(checkout.path, { "work.txt": "done\n" });
    const at = { repositoryPath, stateDirectory, targetBranch: "main", clock: systemClock } as const;
    const next = await openRepository({ ...at, mode: "real", sandbox: "off", term: 9 });
    const refs = () => git(repositoryPath, "for-each-ref", "--format=%(refname) %(objectname)");
    const seen = await refs();

    const other = { ...claim, project: "other" };
    const attempts: Record<string, () => Promise<unknown>> = {
      collects: () => stale.collect(claim, branch),
      claims: () => stale.recordClaim({ ...claim, number: 2 }),
      claimsAnother: () => stale.recordClaim(other),
      merges: () => stale.swapTarget(target, head),
      reviews: () => stale.ensureCheckout(other, { branch: "", from: target, identity, purpose: "review" }),
    };
    for (const [name, attempt] of Object.entries(attempts))
      await expect(attempt(), name).rejects.toMatchObject({ reason: "TakenOver" });
    const mine = await commit(repositoryPath, { "mine.txt": "mine\n" });
    await expect(stale.syncTarget()).rejects.toMatchObject({ reason: "TakenOver" });
    expect(await refs()).toBe(seen.replace(`refs/heads/main ${target}`, `refs/heads/main ${mine}`));

    await expect(openRepository({ ...at, mode: "real", sandbox: "off", term: 8 })).rejects.toMatchObject({
      reason: "TakenOver",
    });
    expect(await next.collect(claim, branch)).toBe(head);
    expect(await next.syncTarget()).toMatchObject({ is: "inSync", commit: mine });
  });

  test("does not fast-forward the person's checkout", async () => {
    const world = await open({ term: 1 });
    const { repositoryPath, repository: stale } = world;
    const before = await git(repositoryPath, "rev-parse", "HEAD");
    await stale.syncTarget();
    const merged = await git(repositoryPath, "commit-tree", "-p", before, "-m", "Merge", `${before}^{tree}`);
    expect(await stale.swapTarget(before, merged)).toBe(true);
    await git(repositoryPath, "update-ref", "refs/bosun/operator", await blobOf(repositoryPath, { term: 2 }));

    await expect(stale.syncTarget()).rejects.toMatchObject({ reason: "TakenOver" });
    expect(await git(repositoryPath, "rev-parse", "HEAD")).toBe(before);
  });

  test("that hangs in a transaction can't end it once its successor has opened the repository", async () => {
    const world = await open({ term: 1 });
    const { repositoryPath, stateDirectory } = world;
    const operator = await git(repositoryPath, "rev-parse", "refs/bosun/operator");
    const head = await git(repositoryPath, "rev-parse", "HEAD");
    const hanging = updateRef(repositoryPath);
    await hanging.say(
      "start",
      `verify refs/bosun/operator ${operator}`,
      `create refs/heads/${branch} ${head}`,
    );
    await hanging.say("prepare");
    const locks = (await readdir(join(repositoryPath, ".git", "refs"), { recursive: true })).filter((name) =>
      name.endsWith(".lock"),
    );
    expect(locks).toHaveLength(2);
    const longAgo = new Date(Date.now() - 60_000);
    for (const name of locks) await utimes(join(repositoryPath, ".git", "refs", name), longAgo, longAgo);

    await openRepository({
      repositoryPath,
      stateDirectory,
      targetBranch: "main",
      mode: "real",
      clock: systemClock,
      sandbox: "off",
      term: 2,
    });
    await hanging.say("commit");
    expect(await hanging.ended).not.toBe(0);
    expect(await world.branch(branch)).toBeUndefined();
  });
});

test("transactions of ten agents at once do not get into each other's way", async () => {
  const world = await open({ term: 1 });
  const claims = Array.from({ length: 40 }, (_, index) => ({ ...claim, project: `project-${index}` }));
  await Promise.all(claims.map((one) => world.repository.recordClaim(one)));
  const refs = await git(world.repositoryPath, "for-each-ref", "--format=%(refname)", "refs/bosun/claims");
  expect(refs.split("\n")).toHaveLength(40);
});

test("an operator's ref that holds no term names nobody: the next operator takes it", async () => {
  const { repositoryPath } = await open();
  for (const text of ["{", '{ "term": "9" }', "null"]) {
    const file = join(repositoryPath, ".git", "value.json");
    await writeFile(file, text);
    await git(
      repositoryPath,
      "update-ref",
      "refs/bosun/operator",
      await git(repositoryPath, "hash-object", "-w", file),
    );
    await open({ repositoryPath, stateDirectory: `${repositoryPath}-state`, term: 3 });
    expect(await git(repositoryPath, "cat-file", "blob", "refs/bosun/operator")).toBe('{"term":3}');
  }
});

test("the state folder must not lie in the repository, but may lie beside it under a name that begins alike", async () => {
  const { repositoryPath } = await open();
  const inside = open({ repositoryPath, stateDirectory: join(repositoryPath, "state") });

  await expect(inside).rejects.toMatchObject({ reason: "StateInsideRepository" });
  await open({ repositoryPath, stateDirectory: `${repositoryPath}-state` });
});

describe("what an agent wrote into its .git", () => {
  const hostile = (evidence: string) =>
    [
      "[core]",
      `\tfsmonitor = "touch ${evidence}; false"`,
      `\tsshCommand = touch ${evidence}`,
      "\thooksPath = .hooks",
      "\tworktree = /",
      '[filter "evil"]',
      `\tclean = touch ${evidence} && cat`,
      `\tsmudge = touch ${evidence} && cat`,
      `\tprocess = touch ${evidence}`,
      "\trequired = true",
      "[diff]",
      `\texternal = touch ${evidence}`,
      "[uploadpack]",
      `\tpackObjectsHook = touch ${evidence}`,
      "",
    ].join("\n");

  for (const sandbox of ["off", "bubblewrap"] as const) {
    test(`never runs: monitors, filters, hooks, drivers, another work tree (sandbox ${sandbox})`, async (context) => {
      if (sandbox === "bubblewrap") needSandbox(context);
      const world = await open({ sandbox });
      const checkout = await claimed(world);
      const evidence = join(world.root, "evidence");
      const head = await commit(checkout.path, { ".gitattributes": "* filter=evil diff=evil merge=evil\n" });
      const hook = join(checkout.path, ".hooks", "reference-transaction");
      await write(checkout.path, {
        ".hooks/reference-transaction": `#!/bin/sh\ntouch ${evidence}\n`,
        "x.txt": "x\n",
      });
      await git(checkout.path, "update-index", "--add", "--chmod=+x", hook);
      await appendFile(join(checkout.path, ".git", "config"), hostile(evidence));
      // The attack is real: it works on whoever simply asks git there.
      const victim = join(world.root, "victim");
      await cp(checkout.path, victim, { recursive: true });
      await git(victim, "status").catch(() => undefined);
      expect(existsSync(evidence)).toBe(true);
      await rm(evidence);

      const state = await world.repository.checkoutState(claim, "execute");
      expect(state).toMatchObject({ is: "present", value: { head, dirty: true } });
      const saved = await world.repository.saveWork(claim, "Save", identity);
      expect(saved.is).toBe("present");
      const collected = await world.repository.collect(claim, branch);
      const target = await world.repository.target();
      if (target.is !== "present") throw new Error("The target is gone.");
      await world.repository.changes(target.value, collected, 10_000);
      await world.repository.planMerge({
        target: target.value,
        head: collected,
        message: "m",
        identity,
        dateSeconds: 1_700_000_000,
      });
      await world.repository.release(claim, "execute");
      expect(existsSync(evidence)).toBe(false);
    });
  }

  test("cannot redirect the operator: a .git file, a linked .git, a linked branch", async () => {
    for (const attack of ["file", "link", "branch"] as const) {
      const world = await open();
      const checkout = await claimed(world);
      await commit(checkout.path, { "a.txt": "a\n" });
      // As of a git that is at work for the person.
      await writeFile(join(world.repositoryPath, ".git/index.lock"), "");
      const before = await everyByte(join(world.repositoryPath, ".git"));
      const dotGit = join(checkout.path, ".git");
      if (attack === "branch") {
        await rm(join(dotGit, "refs/heads", branch));
        await symlink(join(world.repositoryPath, ".git/refs/heads/main"), join(dotGit, "refs/heads", branch));
      } else {
        await rename(dotGit, join(world.root, "aside"));
        const victim = join(world.repositoryPath, ".git");
        if (attack === "file") await writeFile(dotGit, `gitdir: ${victim}\n`);
        else await symlink(victim, dotGit);
      }

      expect(await claimed(world), attack).toEqual(checkout);
      expect(await world.repository.checkoutState(claim, "execute"), attack).toMatchObject({ is: "unknown" });
      expect(await world.repository.saveWork(claim, "Save", identity), attack).toMatchObject({
        is: "unknown",
      });
      await expect(world.repository.collect(claim, branch), attack).rejects.toMatchObject({
        reason: "CheckoutDamaged",
      });
      expect(await world.repository.release(claim, "execute"), attack).toBe("quarantined");
      expect(await everyByte(join(world.repositoryPath, ".git")), attack).toEqual(before);
    }
  });

  test("cannot hold up the operator: a HEAD that is huge, or a pipe that nobody writes into", async () => {
    const world = await open();
    const head = join((await claimed(world)).path, ".git/HEAD");
    await truncate(head, 2 ** 30);
    const huge = await world.repository.checkoutState(claim, "execute");
    expect(huge).toMatchObject({ is: "unknown", why: expect.stringContaining("larger than git makes it") });
    await rm(head);
    spawnSync("mkfifo", [head]);
    const pipe = await world.repository.checkoutState(claim, "execute");
    expect(pipe).toMatchObject({ is: "unknown", why: expect.stringContaining("not a regular file") });
  });

  test("cannot borrow objects from elsewhere", async () => {
    const world = await open();
    const checkout = await claimed(world);
    await appendFile(join(checkout.path, ".git/objects/info/alternates"), "/somewhere/else\n");

    expect(await world.repository.checkoutState(claim, "execute")).toMatchObject({ is: "unknown" });
    await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({
      reason: "CheckoutDamaged",
    });
  });

  test.each([0, 120])(
    "cannot bring a tree that git would write into a .git, nor among %d files",
    async (count) => {
      const world = await open();
      const checkout = await claimed(world);
      await commit(
        checkout.path,
        Object.fromEntries(Array.from({ length: count + 1 }, (_, index) => [`f/${index}.txt`, `${index}\n`])),
      );
      const tree = (entry: string) =>
        spawnSync("git", ["-C", checkout.path, "mktree"], {
          input: `${entry}\n`,
          encoding: "utf8",
        }).stdout.trim();
      const config = await git(checkout.path, "rev-parse", "HEAD:notes.txt");
      const root = tree(`040000 tree ${tree(`100644 blob ${config}\tconfig`)}\t.git`);
      const evil = await git(checkout.path, "commit-tree", root, "-p", "HEAD", "-m", "evil");
      await git(checkout.path, "update-ref", `refs/heads/${branch}`, evil);

      await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "GitFailed" });
      expect(await world.branch(branch)).toBeUndefined();
    },
  );

  test("cannot pass an object under another one's name", async () => {
    const world = await open();
    const checkout = await claimed(world);
    const head = await commit(checkout.path, { "a.txt": "a\n" });
    const [good, bad] = await Promise.all([
      git(checkout.path, "rev-parse", `${head}:a.txt`),
      git(checkout.path, "hash-object", "-w", "notes.txt"),
    ]);
    await git(checkout.path, "cat-file", "-e", bad);
    const file = (id: string) => join(checkout.path, ".git/objects", id.slice(0, 2), id.slice(2));
    await write(checkout.path, { "other.txt": "something else\n" });
    const other = await git(checkout.path, "hash-object", "-w", "other.txt");
    await rename(file(other), file(good));

    await expect(world.repository.collect(claim, branch)).rejects.toMatchObject({ reason: "GitFailed" });
    expect(await world.branch(branch)).toBeUndefined();
  });
});

describe("the target", () => {
  test("leaves a dirty checkout of the user as it is, to the byte, and says that the branch is behind", async () => {
    const world = await open();
    const merged = await mergedWork(world, { "notes.txt": "the agent's\n", "new.txt": "new\n" });
    await write(world.repositoryPath, { "notes.txt": "being edited\n", "untracked.txt": "mine\n" });
    const before = await everyByte(world.repositoryPath);

    expect(await world.repository.syncTarget()).toMatchObject({
      is: "behind",
      commit: merged,
      reason: "CheckoutDirty",
    });
    const after = await everyByte(world.repositoryPath);
    expect(after).toEqual(before);
    expect(await git(world.repositoryPath, "status", "--porcelain")).toBe(" M notes.txt\n?? untracked.txt");
  });

  test("is followed in a checkout whose edits the merge does not touch, and they stay", async () => {
    const world = await open();
    await world.userCommits({ "mine.txt": "mine\n" });
    const merged = await mergedWork(world, { "new.txt": "new\n", "notes.txt": "the agent's\n" });
    await write(world.repositoryPath, { "mine.txt": "being edited\n" });
    // Touched is not edited.
    await utimes(join(world.repositoryPath, "notes.txt"), 1, 1);

    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    expect(await readFile(join(world.repositoryPath, "mine.txt"), "utf8")).toBe("being edited\n");
    expect(await readFile(join(world.repositoryPath, "new.txt"), "utf8")).toBe("new\n");
  });

  test("is followed by moving the ref alone when no checkout has the branch out", async () => {
    const world = await open();
    await git(world.repositoryPath, "checkout", "--quiet", "-b", "elsewhere");
    const merged = await mergedWork(world, { "new.txt": "new\n" });

    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    expect(await world.branch("main")).toBe(merged);
    expect(existsSync(join(world.repositoryPath, "new.txt"))).toBe(false);
  });

  test("is left as it is where two checkouts have it out: one of them would be left behind", async () => {
    const world = await open();
    const merged = await mergedWork(world, { "new.txt": "new\n" });
    const before = await world.branch("main");
    await git(
      world.repositoryPath,
      "worktree",
      "add",
      "--quiet",
      "--force",
      join(world.root, "second"),
      "main",
    );
    expect(await world.repository.syncTarget()).toMatchObject({
      ...{ is: "behind", commit: merged, reason: "CheckoutDirty" },
      message: expect.stringContaining("Leave it in one of them."),
    });
    expect(await world.branch("main")).toBe(before);
  });

  test("is not moved under a rebase that will come back to it", async () => {
    const world = await open();
    await world.userCommits({ "a.txt": "a\n" });
    const merged = await mergedWork(world, { "new.txt": "new\n" });
    await git(
      world.repositoryPath,
      "-c",
      "sequence.editor=sed -i s/^pick/edit/",
      "rebase",
      "-q",
      "-i",
      "HEAD~1",
    ).catch(
      () => undefined, // Stopping to edit is what was asked for.
    );
    const main = await world.branch("main");

    expect(await world.repository.syncTarget()).toMatchObject({ is: "behind", commit: merged });
    expect(await world.branch("main")).toBe(main);
  });

  for (const mode of ["real", "rehearsal"] as const) {
    test(`stops when the user's branch was rewritten, even back to an older commit, and says how to go on (${mode})`, async () => {
      const world = await open({ mode });
      await world.repository.syncTarget();
      await world.userCommits({ "a.txt": "a\n" });
      await world.repository.syncTarget();
      await git(world.repositoryPath, "reset", "--quiet", "--hard", "HEAD~1");

      const sync = await world.repository.syncTarget();
      if (sync.is !== "rewritten") throw new Error(`It is ${sync.is}.`);
      const [, ref = ""] = /git update-ref -d (\S+)/.exec(sync.message) ?? [];
      await git(world.repositoryPath, "update-ref", "-d", ref);
      const again = await world.repository.syncTarget();
      if (mode === "real") return expect(again).toMatchObject({ is: "inSync" });
      // The branch of the rehearsal has what was taken in, and a person has to take it out there too.
      if (again.is !== "behind") throw new Error(`It is ${again.is}.`);
      expect(again.reason).toBe("Diverged");
      const [command = ""] = /git branch --force .*$/.exec(again.message) ?? [];
      execFileSync("sh", ["-c", command], { cwd: world.repositoryPath });
      expect(await world.repository.syncTarget()).toMatchObject({ is: "inSync" });
    });
  }

  test("stops also when the branch is taken back right after it followed the queue", async () => {
    const world = await open();
    const merged = await mergedWork(world, { "new.txt": "new\n" });
    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    await git(world.repositoryPath, "reset", "--quiet", "--hard", "HEAD~1");

    expect(await world.repository.syncTarget()).toMatchObject({ is: "rewritten" });
    expect(await world.branch("main")).not.toBe(merged);
  });

  test("is not fast-forwarded again under a person who resets it while it is to follow", async () => {
    let reset: (() => Promise<void>) | undefined;
    const world = await open({
      async runGit(request) {
        // Right before the look at what the branch is to follow from: the sync has read the branch already.
        if (request.args.includes("merge-base") && reset !== undefined) {
          const now = reset;
          reset = undefined;
          await now();
        }
        return runProcess(request);
      },
    });
    const { repositoryPath, repository } = world;
    await git(repositoryPath, "checkout", "--quiet", "-b", "elsewhere");
    const first = await git(repositoryPath, "rev-parse", "main");
    await repository.syncTarget();
    // In an encoding of its own, so that git is asked about it.
    const encoded = ["-c", "i18n.commitEncoding=ISO-8859-1"];
    const commit = [...encoded, "commit-tree", "-p", first, "-m", "Second", `${first}^{tree}`];
    const second = await git(repositoryPath, ...commit);
    await git(repositoryPath, "update-ref", "refs/heads/main", second);
    await repository.syncTarget();
    reset = async () => {
      await git(repositoryPath, "update-ref", "refs/heads/main", first);
    };

    await expect(repository.syncTarget()).rejects.toMatchObject({ reason: "BranchMoved" });
    expect(await world.branch("main")).toBe(first);
    expect(await repository.syncTarget()).toMatchObject({ is: "rewritten" });
    expect(await world.branch("main")).toBe(first);
  });

  // What was merged has the date 1,700,000,000.
  test.each([1_600_000_000, 1_800_000_000])(
    "takes in the user's commits of %d beside merged work, the same merge after a crash",
    async (seconds) => {
      const world = await open();
      const { repositoryPath, repository } = world;
      const merged = await mergedWork(world, { "new.txt": "new\n" });
      await write(repositoryPath, { "mine.txt": "mine\n" });
      await git(repositoryPath, "add", "mine.txt");
      const tree = await git(repositoryPath, "write-tree");
      const author = `Person <person@example.com> ${seconds} +0000`;
      const parent = await git(repositoryPath, "rev-parse", "main");
      const text = `tree ${tree}\nparent ${parent}\nauthor ${author}\ncommitter ${author}\n\nMine\n`;
      await writeFile(join(world.root, "mine"), text);
      const mine = await git(repositoryPath, "hash-object", "-t", "commit", "-w", join(world.root, "mine"));
      await git(repositoryPath, "update-ref", "refs/heads/main", mine);

      expect(await repository.syncTarget()).toMatchObject({ is: "inSync" });
      expect(await repository.targetContains(mine)).toBe(true);
      expect(await readFile(join(repositoryPath, "new.txt"), "utf8")).toBe("new\n");
      const made = await git(repositoryPath, "show", "-s", "--format=%P %at %ct", "main");
      const newest = Math.max(seconds, 1_700_000_000);
      expect(made).toBe(`${merged} ${mine} ${newest} ${newest}`);
    },
  );

  test("stays where it is while new commits conflict with merged work, until a person has merged them", async () => {
    const world = await open();
    const { repositoryPath, repository } = world;
    const merged = await mergedWork(world, { "notes.txt": "the agent's\n" });
    const mine = await world.userCommits({ "notes.txt": "mine\n" });

    const sync = await repository.syncTarget();
    expect(sync).toMatchObject({ is: "behind", commit: merged, reason: "Diverged" });
    if (sync.is !== "behind") return;
    expect(sync.message).toContain("conflict with merged work in: notes.txt");
    expect([await repository.target(), await world.branch("main")]).toEqual([
      { is: "present", value: merged },
      mine,
    ]);

    const [, ref = ""] = /Merge (\S+) into main by hand/.exec(sync.message) ?? [];
    await git(repositoryPath, "merge", "--quiet", "-s", "ours", "-m", "By hand", ref);
    const commit = await git(repositoryPath, "rev-parse", "main");
    expect(await repository.syncTarget()).toEqual({ is: "inSync", commit });
  });

  test("that a person has deleted stops the queue, which stays where it was", async () => {
    const world = await open();
    const { repositoryPath, repository } = world;
    const merged = await mergedWork(world, { "new.txt": "new\n" });
    await git(repositoryPath, "checkout", "--quiet", "-b", "elsewhere");
    await git(repositoryPath, "branch", "-D", "--quiet", "main");

    expect(await repository.syncTarget()).toMatchObject({
      is: "rewritten",
      message: expect.stringContaining("main is gone"),
    });
    expect(await repository.target()).toEqual({ is: "present", value: merged });
    expect(await world.branch("main")).toBeUndefined();
  });

  test("that nobody has made yet is absent, and nothing starts from it", async () => {
    const world = await open({ targetBranch: "release" });
    expect(await world.repository.target()).toEqual({ is: "absent" });
    await expect(claimed(world)).rejects.toMatchObject({ reason: "TargetMissing" });
  });

  test("of a rehearsal is a branch of its own; the user's stays where it was", async () => {
    const world = await open({ mode: "rehearsal" });
    const main = await world.branch("main");
    const merged = await mergedWork(world, { "new.txt": "new\n" });

    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    expect(await world.branch("rehearsal/main")).toBe(merged);
    expect(await world.branch("main")).toBe(main);
  });

  test("is swapped before the failpoint that stands for a crash is hit", async () => {
    const world = await open({
      failpoints: {
        hit: (name) => {
          throw new Error(name);
        },
      },
    });
    const target = await world.repository.target();
    if (target.is !== "present") throw new Error("The target is gone.");
    const next = await git(world.repositoryPath, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "next");

    await expect(world.repository.swapTarget(target.value, next)).rejects.toThrow("ref-swapped");
    expect(await world.repository.target()).toEqual({ is: "present", value: next });
  });

  test("wakes who watches when the user commits, also after all refs were packed", async () => {
    const world = await open();
    await git(world.repositoryPath, "pack-refs", "--all");
    const controller = new AbortController();
    const woken = new Promise<void>((resolve) => world.repository.subscribe(resolve, controller.signal));
    await world.userCommits({ "a.txt": "a\n" });
    await woken;
    controller.abort();
  });
});

test("work whose first commit the user took over already is rebased, and reviewed again as that changes a patch", async () => {
  const world = await open();
  const checkout = await claimed(world);
  await commit(checkout.path, { "notes.txt": "second\n" });
  const head = await commit(checkout.path, { "notes.txt": "third\n" });
  await world.repository.collect(claim, branch);
  const target = await world.userCommits({ "notes.txt": "second\n", "more.txt": "more\n" });
  await world.repository.syncTarget();
  const request = { target, head, message: "Merge", identity, dateSeconds: 1_700_000_000 };

  const plan = await world.repository.planMerge(request);
  if (plan.is !== "changed") throw new Error(`The plan is ${plan.is}.`);
  expect(await world.read(plan.head, "notes.txt")).toBe("third\n");
  expect(await world.repository.planMerge(request)).toEqual(plan);
  expect(await world.repository.planMerge({ ...request, head: plan.head })).toMatchObject({ is: "clean" });
});

test("work that conflicts only as a whole, and keeps its patches where it is rebased, is merged so, as its author's", async () => {
  const world = await open();
  const { path } = await claimed(world);
  // Below or above the short text the long one is the same; that the whole of it is moved is read as if the short one were.
  const long = Array.from({ length: 20 }, (_, index) => `long ${index}\n`).join("");
  const short = Array.from({ length: 13 }, (_, index) => `short ${index}\n`);
  const changed = short.with(6, "the user's\n");
  const base = await world.userCommits({ "notes.txt": long + short.join("") });
  await world.repository.syncTarget();
  const own = `refs/heads/${branch}`;
  await git(path, "fetch", "--quiet", world.repositoryPath, "main");
  await git(path, "reset", "--quiet", "--hard", base);
  const first = await commit(path, { "notes.txt": short.join("") });
  const head = await commit(path, { "notes.txt": short.join("") + long });
  await world.repository.collect(claim, branch);
  const target = await world.userCommits({ "notes.txt": long + changed.join("") });
  await world.repository.syncTarget();
  const request = { target, head, message: "Merge it\n", identity, dateSeconds: 1_700_000_000 };

  const plan = await world.repository.planMerge(request);
  if (plan.is !== "clean") throw new Error(`The plan is ${plan.is}.`);
  expect(plan.rebased).toBe(true);
  expect(await world.read(plan.commit, "notes.txt")).toBe(changed.join("") + long);
  const told = (id: string, format: string) =>
    git(world.repositoryPath, "show", "-s", `--format=${format}`, id);
  expect(await told(plan.commit, "%an %at %ct %s")).toBe("agent-1 1700000000 1700000000 Merge it");
  expect(await git(world.repositoryPath, "rev-parse", `${plan.commit}^1`)).toBe(target);
  // Each commit is on top of the target, as who made it when, and committed by whom the merge is made for.
  expect(await git(world.repositoryPath, "rev-parse", `${plan.commit}^2~2`)).toBe(target);
  const replayed = { [`${plan.commit}^2`]: head, [`${plan.commit}^2^`]: first };
  for (const [now, before] of Object.entries(replayed)) {
    expect(await told(now, "%an %ae %at %B")).toBe(await told(before, "%an %ae %at %B"));
    expect(await told(now, "%cn %ct")).toBe("agent-1 1700000000");
  }
  expect(await git(world.repositoryPath, "rev-parse", own)).toBe(head);
});

test("work that shares no history with the target conflicts, in no file, and what is in the target already is merged as it is", async () => {
  const world = await open();
  const { path } = await claimed(world);
  await git(path, "checkout", "--quiet", "--orphan", "alone");
  await commit(path, { "alone.txt": "alone\n" });
  await git(path, "branch", "--force", branch);
  const head = await world.repository.collect(claim, branch);
  const [base, target] = [await world.branch("main"), await world.userCommits({ "b.txt": "b\n" })];
  await world.repository.syncTarget();
  const request = { target, head, message: "Merge", identity, dateSeconds: 1_700_000_000 };
  expect(await world.repository.planMerge(request)).toEqual({ is: "conflict", files: [] });
  expect(await world.repository.planMerge({ ...request, head: base ?? "" })).toMatchObject({
    is: "clean",
    commit: target,
  });
});

test("work with a merge in its history is not rebased: what was resolved in it would be lost", async () => {
  const world = await open();
  const { path } = await claimed(world);
  await git(path, "checkout", "--quiet", "-b", "aside");
  await commit(path, { "aside.txt": "aside\n" });
  await git(path, "checkout", "--quiet", branch);
  await commit(path, { "notes.txt": "second\n" });
  await commit(path, { "notes.txt": "third\n" });
  await git(path, "merge", "--quiet", "--no-ff", "-m", "Merge", "aside");
  const head = await world.repository.collect(claim, branch);
  const target = await world.userCommits({ "notes.txt": "second\n", "more.txt": "more\n" });
  await world.repository.syncTarget();
  const request = { target, head, message: "Merge", identity, dateSeconds: 1_700_000_000 };
  expect(await world.repository.planMerge(request)).toEqual({ is: "conflict", files: ["notes.txt"] });
});

async function mergedWork(world: RealWorld, files: Readonly<Record<string, string>>): Promise<string> {
  const checkout = await claimed(world);
  const head = await commit(checkout.path, files);
  await world.repository.collect(claim, branch);
  const target = await world.repository.target();
  if (target.is !== "present") throw new Error("The target is gone.");
  const plan = await world.repository.planMerge({
    target: target.value,
    head,
    message: "Merge",
    identity,
    dateSeconds: 1_700_000_000,
  });
  if (plan.is !== "clean") throw new Error("The merge is not clean.");
  await world.repository.swapTarget(target.value, plan.commit);
  return plan.commit;
}

test("a merge that was planned before and pruned since is planned anew", async () => {
  const world = await open();
  const checkout = await claimed(world);
  const head = await commit(checkout.path, { "a.txt": "a\n" });
  await world.repository.collect(claim, branch);
  await world.userCommits({ "b.txt": "b\n" });
  const target = await git(world.repositoryPath, "rev-parse", "main");
  const request = { target, head, message: "Merge it\n", identity, dateSeconds: 1_700_000_000 };
  const plan = await world.repository.planMerge(request);
  await git(world.repositoryPath, "prune", "--expire=now");

  expect(await world.repository.planMerge(request)).toEqual(plan);
  if (plan.is !== "clean") throw new Error("Both change other files.");
  expect(await git(world.repositoryPath, "cat-file", "-t", plan.commit)).toBe("commit");
});

async function blobOf(repositoryPath: string, value: unknown): Promise<string> {
  const file = join(repositoryPath, ".git", "value.json");
  await writeFile(file, `${JSON.stringify(value)}\n`);
  return git(repositoryPath, "hash-object", "-w", file);
}

/** A transaction in git's own hands, as one that was suspended in its middle. */
function updateRef(repositoryPath: string) {
  const child = spawn("git", ["-C", repositoryPath, "update-ref", "--stdin"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const answers = child.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
  return {
    ended,
    async say(...lines: string[]) {
      child.stdin.write(`${lines.join("\n")}\n`);
      await answers.next();
    },
  };
}
