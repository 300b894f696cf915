import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TransientError } from "../runtime/errors.ts";
import { Checkouts, type CheckoutsOptions } from "./checkouts.ts";
import { Claims } from "./claims.ts";
import { collect } from "./collect.ts";
import { Git } from "./git.ts";
import { layoutOf } from "./layout.ts";
import { makeOperatorDirectory } from "./operator-directory.ts";
import { type RunProcess, runProcess } from "./process.ts";

const claim = { project: "retry-uploads", agent: "agent-1", number: 1 };
const branch = "agent-1/project-101";
const identity = { name: "Agent", email: "agent@localhost" };

/** A repository of the person's and a claim's checkout, in which an agent made `files` and committed them. */
async function committed(files: number, run: RunProcess = runProcess) {
  const root = mkdtempSync(join(tmpdir(), "bosun-collect-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const repositoryPath = join(root, "repository");
  const inFolder = (cwd: string, ...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b", ...args], {
      cwd,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  mkdirSync(repositoryPath);
  inFolder(repositoryPath, "init", "--quiet", "--initial-branch=main");
  inFolder(repositoryPath, "commit", "--quiet", "--allow-empty", "-m", "First");
  const base = inFolder(repositoryPath, "rev-parse", "HEAD");

  const git = new Git(run);
  const layout = layoutOf(join(root, "state"));
  await makeOperatorDirectory(git, layout.operator);
  const gitDirectory = join(repositoryPath, ".git");
  const objectDirectory = join(gitDirectory, "objects");
  const claims = new Claims(git, { gitDirectory });
  const options: CheckoutsOptions = {
    git,
    repository: { gitDirectory },
    objects: { gitDirectory: layout.operator, objects: objectDirectory },
    objectDirectory,
    layout,
    claims,
    targetBranch: "main",
    sandbox: undefined,
    fill: undefined,
  };
  const checkouts = new Checkouts(options);
  await claims.record(claim);
  const { path } = await checkouts.ensure(claim, { branch, from: base, identity, purpose: "execute" });
  for (let index = 0; index < files; index += 1) writeFileSync(join(path, `${index}.txt`), `${index}\n`);
  inFolder(path, "add", "-A");
  inFolder(path, "commit", "--quiet", "-m", "Work");
  return {
    head: inFolder(path, "rev-parse", "HEAD"),
    take: () => collect(options, checkouts.locate(claim, "execute"), { claim, branch }),
    loseCheckout: () => rmSync(path, { recursive: true }),
    inRepository: (...args: string[]) => inFolder(repositoryPath, ...args),
    leftOver: () => readdirSync(layout.temporary),
  };
}

test.each([
  { files: 3, packs: 0 },
  { files: 120, packs: 1 },
])(
  "work of $files files is all there without its checkout, few objects one by one, and nothing else stays",
  async ({ files, packs }) => {
    const world = await committed(files);
    expect(await world.take()).toBe(world.head);
    world.loseCheckout();
    expect(world.inRepository("rev-parse", branch)).toBe(world.head);
    expect(world.inRepository("fsck", "--connectivity-only", "--no-dangling", world.head)).toBe("");
    expect(world.inRepository("ls-tree", "--name-only", branch).split("\n")).toHaveLength(files);
    expect(world.inRepository("count-objects", "-v")).toContain(`packs: ${packs}\n`);
    expect(world.leftOver()).toEqual([]);
  },
);

test.each(["pack-objects", "unpack-objects"])(
  "what could not be brought because %s failed leaves no file and no branch, and comes with the next try",
  async (step) => {
    let failsAt: string | undefined = step;
    const world = await committed(3, (request) => {
      if (failsAt === undefined || !request.args.includes(failsAt)) return runProcess(request);
      failsAt = undefined;
      return Promise.reject(new TransientError("GitFailed", "The disk failed."));
    });
    await expect(world.take()).rejects.toMatchObject({ reason: "GitFailed" });
    expect(world.leftOver()).toEqual([]);
    expect(world.inRepository("branch", "--list", branch)).toBe("");
    expect(await world.take()).toBe(world.head);
  },
);

test("half a pack that a killed operator left does not stand in the way", async () => {
  let pack = "";
  const world = await committed(3, (request) => {
    if (request.stdoutFile === undefined || pack !== "") return runProcess(request);
    // As the kill left it: what is cleaned up after a failure is not.
    pack = request.stdoutFile;
    return Promise.reject(new TransientError("GitFailed", "Killed."));
  });
  await expect(world.take()).rejects.toMatchObject({ reason: "GitFailed" });
  writeFileSync(pack, "PACK");
  expect(world.leftOver()).toEqual([basename(pack)]);
  expect(await world.take()).toBe(world.head);
  expect(world.leftOver()).toEqual([]);
});
