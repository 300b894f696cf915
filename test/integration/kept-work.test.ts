/** Work that an emergency stop has cut short, with real git. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KeepsWork } from "../../pkg/git/repository.ts";
import { sandbox } from "../../pkg/sandbox/testing/need-sandbox.ts";
import { git, openRealWorld, type RealWorld, write } from "./repository-world.ts";

const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
const branch = "agent-1/project-101";
const claim = { project: "retry-uploads", number: 1, agent: "agent-1" };
const session = "5f0c1f7e-8d1c-4a57-9d0a-000000000001";
const ref = `refs/bosun/wip/${session}`;

const kinds = sandbox.available ? (["off", "bubblewrap"] as const) : (["off"] as const);
if (!sandbox.available) console.warn(`Skipped in the sandbox: ${sandbox.why}`);

describe.each(kinds)("work kept with sandbox %s", (kind) => {
  let world: RealWorld;
  let path: string;
  let id: string;
  beforeEach(async () => {
    world = await openRealWorld({ sandbox: kind });
    ({ path, id } = await claimed());
  });
  afterEach(() => world.remove());

  async function claimed() {
    await world.repository.recordClaim(claim);
    return await world.repository.ensureCheckout(claim, { branch, identity, purpose: "execute" });
  }
  const keep = () => (world.repository as unknown as KeepsWork).keepWork(claim, session, identity);
  /** The operator's own git directory of the checkout. */
  async function ownFolder(): Promise<string> {
    const directory = join(world.stateDirectory, "git");
    const [name = ""] = await readdir(directory);
    return join(directory, name);
  }
  const inRepository = (...args: string[]) => git(world.repositoryPath, ...args);

  /** A commit, a change, a deletion, new files; some of it staged, some ignored. */
  async function halfDone(): Promise<void> {
    await world.agentCommits(path, { "done.txt": "done\n", "gone.txt": "soon\n", ".gitignore": "*.log\n" });
    await write(path, { "notes.txt": "changed\n", "new/deep.txt": "new\n", "build.log": "noise\n" });
    await rm(join(path, "gone.txt"));
    await write(path, { "staged.txt": "staged\n" });
    await git(path, "add", "staged.txt");
  }

  test("is a commit on the checkout's head with all that git does not ignore, and on no branch", async () => {
    await halfDone();
    const kept = await keep();
    expect(kept).toEqual({ is: "present", value: await inRepository("rev-parse", ref) });
    expect(await inRepository("rev-parse", `${ref}^`)).toBe(await git(path, "rev-parse", "HEAD"));
    expect((await inRepository("ls-tree", "-r", "--name-only", ref)).split("\n")).toEqual([
      ".gitignore",
      "done.txt",
      "new/deep.txt",
      "notes.txt",
      "staged.txt",
    ]);
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
    expect(await world.branch(branch)).toBeUndefined();
    expect(await inRepository("fsck", "--strict", "--no-dangling")).toBe("");
  });

  test("is a commit also where a single file has changed, and is no less uncommitted when it comes back", async () => {
    await write(path, { "notes.txt": "changed\n" });
    expect(await keep()).toEqual({ is: "present", value: await inRepository("rev-parse", ref) });
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
    // Made anew it is where it started, but for what nobody has committed.
    await rm(path, { recursive: true });
    await claimed();
    expect(await world.repository.release(claim, "execute")).toBe("quarantined");
  });

  test("is kept as it is where a file became a folder, or a folder a file", async () => {
    await world.agentCommits(path, { "folder/a.txt": "a\n" });
    await rm(join(path, "notes.txt"));
    await rm(join(path, "folder"), { recursive: true });
    await write(path, { "notes.txt/first.txt": "first\n", folder: "a file\n" });
    await keep();
    expect((await inRepository("ls-tree", "-r", "--name-only", ref)).split("\n")).toEqual([
      "folder",
      "notes.txt/first.txt",
    ]);
  });

  test("changes nothing in the checkout, and kept again it is the same commit", async () => {
    await halfDone();
    const before = await digestOf(path);
    const first = await keep();
    expect(await digestOf(path)).toBe(before);
    expect(await keep()).toEqual(first);
    expect(await digestOf(path)).toBe(before);
  });

  test("stands on the checkout's head also where the same files were kept on an older one", async () => {
    await write(path, { "notes.txt": "changed\n" });
    await keep();
    await git(path, "commit", "--quiet", "--allow-empty", "-m", "What comes next");
    await keep();
    expect(await inRepository("rev-parse", `${ref}^`)).toBe(await git(path, "rev-parse", "HEAD"));
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
  });

  test("has files whose names are not UTF-8, and so does what is saved", async () => {
    const name = Buffer.from("caf\u00e9", "latin1");
    await writeFile(Buffer.concat([Buffer.from(`${path}/`), name]), "in an old encoding\n");
    await write(path, { "\u00fcber": "in UTF-8\n" });
    const kept = await keep();
    const saved = await world.repository.saveWork(claim, "Save", identity);
    if (kept.is !== "present" || saved.is !== "present") throw new Error("The checkout is there.");
    for (const commit of [kept.value, saved.value]) {
      const names = await git(path, "ls-tree", "--name-only", commit);
      expect(names.split("\n")).toEqual(expect.arrayContaining(['"caf\\351"', '"\\303\\274ber"']));
    }
    const state = await world.repository.checkoutState(claim, "execute");
    expect(state).toMatchObject({ value: { dirty: false } });
  });

  test("is not gone back to where newer work was collected before the checkout was lost", async () => {
    await halfDone();
    await keep();
    const newer = await world.agentCommits(path, { "newer.txt": "newer\n" });
    await world.repository.collect(claim, branch);
    await rm(path, { recursive: true });
    const again = { branch, from: newer, identity, purpose: "execute" } as const;
    await world.repository.ensureCheckout(claim, again);
    expect(await git(path, "rev-parse", "HEAD")).toBe(newer);
    expect(await git(path, "status", "--porcelain")).toBe("");
  });

  test("comes back as it was, uncommitted, when the checkout is lost", async () => {
    await halfDone();
    const head = await git(path, "rev-parse", "HEAD");
    await keep();
    await rm(path, { recursive: true });
    const again = await claimed();
    expect(again.path).toBe(path);
    expect(again.id).not.toBe(id);
    expect(await claimed()).toEqual(again);
    expect(await git(path, "rev-parse", "HEAD")).toBe(head);
    expect(await git(path, "branch", "--show-current")).toBe(branch);
    expect((await git(path, "status", "--porcelain", "--untracked-files=all")).split("\n").sort()).toEqual(
      ["?? new/deep.txt", "?? staged.txt", " D gone.txt", " M notes.txt"].sort(),
    );
    expect(await readFile(join(path, "notes.txt"), "utf8")).toBe("changed\n");
    expect(await world.repository.collect(claim, branch)).toBe(head);
  });

  test("leaves out a file that no source is as large as, and says which", async () => {
    await write(path, { "notes.txt": "changed\n", "dump.bin": "" });
    await truncate(join(path, "dump.bin"), 100 * 1024 * 1024 + 1);
    await keep();
    expect(await inRepository("ls-tree", "-r", "--name-only", ref)).toBe("notes.txt");
    expect(await inRepository("show", "-s", "--format=%B", ref)).toContain("Left out, too large: dump.bin");
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
  });

  test("comes back also when an operator died while it made the checkout again", async () => {
    await halfDone();
    await keep();
    await rm(path, { recursive: true });
    const own = await ownFolder();
    for (const file of await readdir(own))
      if (file !== "kept.json") await rm(join(own, file), { recursive: true });
    await claimed();
    expect(await readFile(join(path, "notes.txt"), "utf8")).toBe("changed\n");
  });

  test("comes back also when its record was lost and it was kept again since", async () => {
    await halfDone();
    await keep();
    await writeFile(join(await ownFolder(), "kept.json"), "");
    await keep();
    await rm(path, { recursive: true });
    await claimed();
    expect(await readFile(join(path, "notes.txt"), "utf8")).toBe("changed\n");
  });

  test("stays where it is for a person when checkout and record are lost, and the agent begins anew", async () => {
    await halfDone();
    await keep();
    await writeFile(join(await ownFolder(), "kept.json"), "");
    await rm(path, { recursive: true });
    await claimed();
    expect(await readFile(join(path, "notes.txt"), "utf8")).not.toBe("changed\n");
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
  });

  test("leaves a checkout that is still there alone", async () => {
    await halfDone();
    await keep();
    await write(path, { "notes.txt": "further\n" });
    await claimed();
    expect(await readFile(join(path, "notes.txt"), "utf8")).toBe("further\n");
  });

  test("is kept as long as nothing else holds it, and goes with a checkout whose work was collected", async () => {
    await world.agentCommits(path, { "done.txt": "done\n" });
    await keep();
    expect(await inRepository("rev-parse", ref)).toBe(await git(path, "rev-parse", "HEAD"));
    expect(await world.repository.release(claim, "execute")).toBe("quarantined");
    expect(await inRepository("rev-parse", ref)).toMatch(/^[0-9a-f]{40}$/);

    await claimed();
    await world.repository.collect(claim, branch);
    expect(await world.repository.release(claim, "execute")).toBe("removed");
    await expect(inRepository("rev-parse", "--verify", "--quiet", ref)).rejects.toThrow();
  });

  test("of a checkout that was lost goes with the claim once it was collected, and else stays", async () => {
    await world.agentCommits(path, { "done.txt": "done\n" });
    await keep();
    await world.repository.collect(claim, branch);
    await rm(path, { recursive: true });
    expect(await world.repository.release(claim, "execute")).toBe("absent");
    await expect(inRepository("rev-parse", "--verify", "--quiet", ref)).rejects.toThrow();

    ({ path } = await claimed());
    await halfDone();
    await keep();
    await rm(path, { recursive: true });
    expect(await world.repository.release(claim, "execute")).toBe("absent");
    expect(await world.read(ref, "notes.txt")).toBe("changed\n");
  });

  test("runs nothing that an agent wrote, and damage is unknown, never a loss", async () => {
    await halfDone();
    const trap = join(world.root, "sprung");
    await git(path, "config", "core.fsmonitor", `touch ${trap}; false`);
    await git(path, "config", "filter.trap.clean", `touch ${trap}; cat`);
    await write(path, { ".gitattributes": "* filter=trap\n" });
    await writeFile(join(path, ".git", "hooks", "post-commit"), `touch ${trap}`, { mode: 0o755 }).catch(
      () => undefined,
    );
    expect(await keep()).toMatchObject({ is: "present" });
    expect(existsSync(trap)).toBe(false);
    const kept = await inRepository("rev-parse", ref);

    await rename(join(path, ".git"), join(path, "elsewhere"));
    await symlink(join(path, "elsewhere"), join(path, ".git"));
    expect(await keep()).toMatchObject({ is: "unknown" });
    expect(await inRepository("rev-parse", ref)).toBe(kept);
  });
});

/** Of every file below a folder, by name and content. */
async function digestOf(folder: string): Promise<string> {
  const digest = createHash("sha256");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) digest.update(`${file}\0`).update(await readFile(file));
  return digest.digest("hex");
}
