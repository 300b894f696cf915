/** Repositories that Bosun does not handle are named, with the remedy, before anything is started. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Scratch, scratch } from "./scratch.ts";

/** Begins the repository anew, so that it has no commit. */
function withoutCommit({ repository, git }: Scratch): void {
  rmSync(path.join(repository, ".git"), { recursive: true });
  git("init", "--quiet", "--initial-branch=main", ".");
}

/** A gitlink is all that makes a submodule; its content is not needed. */
function withSubmodule({ git }: Scratch): void {
  git("update-index", "--add", "--cacheinfo", `160000,${git("rev-parse", "HEAD")},vendor`);
  git("commit", "--quiet", "--message=Vendor");
}

/** Replaces the repository by a shallow clone of itself. */
function shallow({ folder, repository, git }: Scratch): void {
  git("commit", "--quiet", "--allow-empty", "--message=Second");
  const clone = path.join(folder, "clone");
  execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${repository}`, clone]);
  rmSync(path.join(repository, ".git"), { recursive: true });
  execFileSync("mv", [path.join(clone, ".git"), repository]);
}

const unhandled: readonly { what: string; make(here: Scratch): void; says: string; remedy: string }[] = [
  { what: "without a commit", make: withoutCommit, says: "has no commit", remedy: "first commit" },
  { what: "with submodules", make: withSubmodule, says: "has submodules", remedy: "Vendor them" },
  { what: "cloned shallowly", make: shallow, says: "shallow clone", remedy: "git fetch --unshallow" },
  {
    what: "with a branch called agent-1",
    make: ({ git }) => void git("branch", "agent-1"),
    says: "branch called agent-1",
    remedy: "git branch -m agent-1",
  },
];

for (const { what, make, says, remedy } of unhandled) {
  test(`\`up\` refuses a repository ${what}, and doctor names it`, async () => {
    const here = scratch();
    make(here);
    const refused = here.rehearse();
    const [how, { exitCode, text }] = await Promise.all([refused.exited, here.bosun("doctor")]);
    expect(how).toBe(1);
    for (const told of [refused.output(), text]) {
      expect(told).toContain(says);
      expect(told).toContain(remedy);
    }
    expect(exitCode).toBe(1);
    expect(await here.left()).toEqual([]);
  });
}

test("a target with submodules is refused while another branch is out, and a target without is not", async () => {
  const here = scratch();
  here.git("checkout", "--quiet", "-b", "other");
  withSubmodule(here);
  const onMain = await here.bosun("doctor");
  expect(onMain.text).not.toContain("has submodules");
  here.git("checkout", "--quiet", "--force", "main");
  here.write(
    "workspace.yaml",
    here.read("workspace.yaml").replace("targetBranch: main", "targetBranch: other"),
  );
  const refused = here.rehearse();
  const [how, { text }] = await Promise.all([refused.exited, here.bosun("doctor")]);
  expect(how).toBe(1);
  for (const told of [refused.output(), text]) expect(told).toContain("has submodules");
});

test("a detached HEAD is named, and work goes on into the branch that the Workspace names", async () => {
  const here = scratch({ projects: { one: {} } });
  here.git("checkout", "--quiet", "--detach");
  expect((await here.bosun("doctor")).text).toContain("HEAD is detached");
  const operator = here.rehearse("--until-settled");
  expect(await operator.exited).toBe(0);
  expect(operator.output()).toContain("HEAD is detached");
  expect(here.git("show", "rehearsal/main:docs/write-one.md")).toBe("A note on Write one");
});

test("a folder that is no repository is named", async () => {
  const here = scratch();
  rmSync(path.join(here.repository, ".git"), { recursive: true });
  const refused = here.rehearse();
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain("is not the top of a git work tree");
  mkdirSync(path.join(here.repository, ".git"));
  const stillNone = here.rehearse();
  expect(await stillNone.exited).toBe(1);
});
