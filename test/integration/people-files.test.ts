import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { parseYaml } from "../../pkg/encoding/yaml.ts";
import type { FileSystem } from "../../pkg/storage/file-system.ts";
import { splice } from "../../pkg/storage/files/splice.ts";
import { watchFolder } from "../../pkg/storage/files/watch-folder.ts";
import { recover } from "../../pkg/storage/log/recover.ts";
import { nodeFileSystem } from "../../pkg/storage/node-file-system.ts";
import { CrashError, crashFileSystem, seeded } from "../../pkg/storage/testing/crash-file-system.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { header, project, projects, World } from "./people-files-world.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests reach into documents by name
type Any = any;

const commented = `# What we want next.
apiVersion: bosun.dev/v1alpha1
kind: Project   # a project
metadata: {name: retry}
spec:
  title: 'Retry uploads'   # short
  # Why: users lose data.
  description: |
    Three times,
    then give up.
  tasks:
  - {id: T-1, title: Write it} # first
  -   id: T-2
      title: "Test it"
`;

let world: World;
beforeEach(async () => {
  world = new World(join(await mkdtemp(join(tmpdir(), "bosun-files-")), ".claude-sessions"), nodeFileSystem);
  await mkdir(world.folder);
});
afterEach(async () => {
  await world.close();
  await rm(dirname(world.folder), { recursive: true });
});

describe("what a person writes", () => {
  test("a folder of files is read at the start, sub-folders and several documents included, and no file is touched", async () => {
    await world.write("projects/retry.yaml", commented);
    await world.write("all.yml", `# two\n---\n${project("a")}---\n${project("b")}`);
    await world.write(".hidden.yaml", project("hidden"));
    await world.write("all.yml~", project("backup"));
    await world.write(".bosun/x.yaml", project("own"));
    await world.open();
    expect(world.spec("retry")).toMatchObject({ title: "Retry uploads", origin: "Human" });
    expect(world.spec("a")).toMatchObject({ title: "Title of a" });
    expect(world.spec("b")).toMatchObject({ title: "Title of b" });
    for (const name of ["hidden", "backup", "own"]) expect(world.project(name)).toBeUndefined();
    expect(await world.read("projects/retry.yaml")).toBe(commented);
    expect(world.messages()).toEqual([]);
    await world.restart();
    expect(await world.read("projects/retry.yaml")).toBe(commented);
    expect(world.messages()).toEqual([]);
  });

  test("an edit changes what it names and leaves what the API set", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.registry.patch(
      projects,
      { namespace: "default", name: "a" },
      { type: "merge", body: { status: { phase: "Queued" } } } as never,
      { subresource: "status" },
    );
    await world.patch("a", { metadata: { finalizers: ["bosun.dev/claim"] } });
    await world.edit("a.yaml", `${project("a", "Better")}  category: testing\n`);
    expect(world.project("a")).toMatchObject({
      metadata: { finalizers: ["bosun.dev/claim"] },
      spec: { title: "Better", category: "testing" },
      status: { phase: "Queued" },
    });
    await world.edit("a.yaml", project("a", "Better"));
    expect(world.spec("a")).not.toHaveProperty("category");
    expect(await world.read("a.yaml")).toBe(project("a", "Better"));
  });

  test("an invalid edit changes nothing and is reported once, with file, line and field", async () => {
    await world.write("a.yaml", `${project("a")}---\n${project("b")}`);
    await world.open();
    const invalid = `${project("a", "New")}---\n${project("b")}  category: nonsense\n`;
    await world.edit("a.yaml", invalid);
    await world.files.rescan();
    await world.restart();
    expect(world.spec("a")).toMatchObject({ title: "Title of a" });
    expect(await world.read("a.yaml")).toBe(invalid);
    expect(world.reports[0]).toMatchObject({
      object: { kind: "Project", name: "b" },
      type: "Warning",
      reason: "EditRejected",
      message: expect.stringMatching(/^a\.yaml:14: spec\.category: /),
    });
    // Once before the restart, once after.
    expect(world.reports).toHaveLength(2);
    await world.edit("a.yaml", `${project("a", "New")}---\n${project("b")}  category: testing\n`);
    expect([world.spec("a")?.title, world.spec("b")?.category]).toEqual(["New", "testing"]);
    expect(world.reports).toHaveLength(2);
  });

  test("a fault that is saved again is told once, wherever it moves, until it is another one or was mended", async () => {
    const twice = `${project("a")}---\n${project("b")}`;
    await world.write("a.yaml", twice);
    await world.open();
    const told = async (text: string): Promise<string[]> => {
      await world.edit("a.yaml", text);
      return world.reports.splice(0).map(({ message }) => message.replace(/: .*/s, ""));
    };
    const wrong = `${twice}  category: nonsense\n`;
    expect(await told(wrong)).toEqual(["a.yaml:14"]);
    for (let save = 0; save < 3; save += 1) expect(await told(`# save ${save}\n${wrong}`)).toEqual([]);
    expect(await told(`${twice}  category: folly\n`)).toEqual(["a.yaml:14"]);
    // The same fault of another object is news, and the first one is not.
    const both = `${project("a")}  category: folly\n---\n${project("b")}  category: folly\n`;
    expect(await told(both)).toEqual(["a.yaml:7"]);
    expect(await told(twice)).toEqual([]);
    expect(await told(wrong)).toEqual(["a.yaml:14"]);
    // What is no YAML at all belongs to no object.
    expect(await told(`${twice}  category: [\n`)).toHaveLength(1);
    expect(await told(`# again\n${twice}  category: [\n`)).toEqual([]);
  });

  test("a field that the schema doesn't know is an error, not silence", async () => {
    await world.write("a.yaml", `${project("a")}  titel: x\n`);
    await world.open();
    expect(world.project("a")).toBeUndefined();
    expect(world.messages()).toEqual([
      expect.stringMatching(/^EditRejected: a\.yaml:7: unknown field "spec\.titel"/),
    ]);
  });

  test("a copy of a file, under a name that comes before it, takes nothing over", async () => {
    await world.write("b.yaml", project("one"));
    await world.open();
    await world.edit("a.yaml", project("one"));
    expect(world.messages()).toEqual([
      expect.stringMatching(/^DuplicateObject: a\.yaml:\d+: .* b\.yaml already/),
    ]);
    await world.edit("b.yaml", project("one", "Mine"));
    expect(world.spec("one")).toMatchObject({ title: "Mine" });
    // One that is made again is told of again.
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    await world.edit("a.yaml", project("one"));
    expect(world.messages()).toHaveLength(2);
  });

  test("a file that can't be parsed keeps its last good version and names the line", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.edit("a.yaml", `${project("a")}  category: [testing\n`);
    expect(world.spec("a")).toMatchObject({ title: "Title of a" });
    expect(world.reports).toMatchObject([{ object: undefined, reason: "InvalidFile" }]);
    expect(world.reports[0]?.message).toMatch(/^a\.yaml:[78]: /);
    await world.pass(60_000);
    expect(world.project("a")).toBeDefined();
    expect(world.reports).toHaveLength(1);
  });

  test.each([
    ["bosun.dev/v1alpha1\nkind: Projekt", /a\.yaml:2: There is no kind Projekt .*Project/],
    [
      "bosun.dev/v1\nkind: Project",
      /a\.yaml:2: A Project has apiVersion bosun\.dev\/v1alpha1, not bosun\.dev\/v1\./,
    ],
    [
      "v1\nkind: List\nitems: []",
      /a\.yaml:2: A List is not read\. Write each of its items as a document of its own/,
    ],
  ])("an unknown kind is named: %s", async (start, message) => {
    await world.write("a.yaml", `apiVersion: ${start}\nmetadata: {name: a}\n`);
    await world.open();
    expect(world.messages()).toEqual([expect.stringMatching(message)]);
  });

  test("where both sides changed a field the person wins, and the value undone is named", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    // The person saves while the API's write is not in the file yet.
    await world.write("a.yaml", project("a", "Mine").replace("spec:", "spec:\n  category: testing"));
    await world.patch("a", { spec: { title: "Theirs", description: "kept" } });
    await world.settle();
    await world.files.rescan();
    expect(world.spec("a")).toMatchObject({ title: "Mine", category: "testing", description: "kept" });
    expect(world.messages()).toEqual([
      expect.stringMatching(/^EditOverrode: a\.yaml:7: your edit of spec\.title replaced "Theirs"/),
    ]);
    expect(parse(await world.read("a.yaml")).spec).toEqual({
      title: "Mine",
      category: "testing",
      description: "kept",
    });
  });

  test("a file that a person makes for an object of the API is their word, and undoes nothing that they could have seen", async () => {
    await world.open();
    const created = parse(`${project("a", "Theirs")}  description: kept\n`);
    await world.write("mine.yaml", project("a", "Mine"));
    await world.registry.create(projects, "default", created);
    await world.files.rescan();
    await world.settle();
    expect(world.spec("a")).toMatchObject({ title: "Mine", description: "kept" });
    expect(await world.read("mine.yaml")).toBe(`${project("a", "Mine")}  description: kept\n`);
    expect(await readdir(world.folder)).toEqual([".bosun", "mine.yaml"]);
    expect(world.messages()).toEqual([]);
  });

  test("where both sides said the same nothing is undone, and nobody is told so", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.write("a.yaml", project("a", "Same"));
    await world.patch("a", { spec: { title: "Same" } });
    await world.settle();
    await world.files.rescan();
    expect(world.spec("a")).toMatchObject({ title: "Same" });
    expect(world.messages()).toEqual([]);
  });

  test("two files that declare one object: the first stays in force, and the other one is named", async () => {
    await world.write("b.yaml", project("x", "First"));
    await world.open();
    await world.edit("a.yaml", project("x", "Second"));
    expect(world.spec("x")).toMatchObject({ title: "First" });
    expect(world.messages()).toEqual([
      expect.stringMatching(/^DuplicateObject: a\.yaml:1: Project x .* b\.yaml/),
    ]);
    await world.restart();
    expect(world.spec("x")).toMatchObject({ title: "First" });
    expect([await world.read("a.yaml"), await world.read("b.yaml")]).toEqual([
      project("x", "Second"),
      project("x", "First"),
    ]);
    await unlink(join(world.folder, "b.yaml"));
    await world.pass(10_000);
    expect(world.spec("x")).toMatchObject({ title: "Second" });
  });

  test("one object twice in one file: the first document stays in force whatever the second comes to say, until it is the only one", async () => {
    const file = (first: string, second: string) => `${project("x", first)}---\n${project("x", second)}`;
    await world.write("a.yaml", file("First", "Second"));
    await world.open();
    expect(world.spec("x")).toMatchObject({ title: "First" });
    expect(world.messages()).toEqual([
      expect.stringMatching(/^DuplicateObject: a\.yaml:\d+: Project x .* a\.yaml/),
    ]);
    await world.edit("a.yaml", file("First", "Third"));
    expect(world.spec("x")).toMatchObject({ title: "First" });
    await world.edit("a.yaml", file("Fourth", "Third"));
    expect(world.spec("x")).toMatchObject({ title: "Fourth" });
    await world.edit("a.yaml", project("x", "Third"));
    expect(world.spec("x")).toMatchObject({ title: "Third" });
  });
});

describe("what the API writes", () => {
  test("a change keeps every other byte of the file, comments and mode", async () => {
    await world.write("projects/retry.yaml", commented);
    await chmod(join(world.folder, "projects/retry.yaml"), 0o640);
    await world.open();
    await world.patch("retry", { spec: { title: "Retry all uploads", skip: true } });
    await world.settle();
    expect(await world.read("projects/retry.yaml")).toBe(
      `${commented.replace("'Retry uploads'", "'Retry all uploads'")}  skip: true\n`,
    );
    expect((await stat(join(world.folder, "projects/retry.yaml"))).mode & 0o777).toBe(0o640);
    expect(await readdir(join(world.folder, "projects"))).toEqual(["retry.yaml"]);
    await world.files.rescan();
    expect(world.spec("retry")).toMatchObject({ title: "Retry all uploads", skip: true });
  });

  test("what was put into a file is remembered as its text, and no longer as what is to be put there", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.patch("a", { spec: { title: "Changed" } });
    await world.settle();
    const { state } = await recover(nodeFileSystem, join(world.folder, ".bosun/log"));
    expect([...state.files]).toEqual([["a.yaml", await world.read("a.yaml")]]);
  });

  test("a file that is a link stays one", async () => {
    await world.write("../elsewhere/a.yaml", project("a"));
    await symlink("../elsewhere/a.yaml", join(world.folder, "a.yaml"));
    await world.open();
    await world.patch("a", { spec: { skip: true } });
    await world.settle();
    expect((await lstat(join(world.folder, "a.yaml"))).isSymbolicLink()).toBe(true);
    expect(await world.read("../elsewhere/a.yaml")).toBe(`${project("a")}  skip: true\n`);
  });

  test("status, finalizers and machinery's annotations do not reach the file, labels do", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.patch("a", {
      metadata: {
        finalizers: ["bosun.dev/claim"],
        annotations: {
          "bosun.dev/x": "1",
          "kubectl.kubernetes.io/last-applied-configuration": "{}",
          mine: "yes",
        },
        labels: { team: "red" },
      },
    });
    await world.settle();
    expect(await world.read("a.yaml")).toBe(
      project("a").replace("spec:", '  labels:\n    team: red\n  annotations:\n    mine: "yes"\nspec:'),
    );
  });

  test("a label alone, an annotation alone, reach the file, though they make no new generation", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    const metadata = async () => parse(await world.read("a.yaml")).metadata;
    for (const field of ["labels", "annotations"]) {
      // What was heard of it before is as it is now, but for this.
      await world.patch("a", { metadata: { finalizers: [`bosun.dev/${field}`] } });
      await world.settle();
      await world.patch("a", { metadata: { [field]: { team: "red" } } });
      await world.settle();
      expect(await metadata()).toMatchObject({ [field]: { team: "red" } });
    }
  });

  test("a new object gets the file that its CRD names, without defaults; a deleted one takes it along", async () => {
    await world.open();
    const created = parse(project("new", "Made by the API"));
    await world.registry.create(projects, "default", created);
    await world.registry.create("bosun.dev/budgets", "default", {
      apiVersion: "bosun.dev/v1alpha1",
      kind: "Budget",
      metadata: { name: "all" },
      spec: { daily: { usd: 5 } },
    });
    await world.settle();
    expect(await world.read("projects/new.yaml")).toBe(project("new", "Made by the API"));
    expect(parse(await world.read("budget.yaml")).spec).toEqual({ daily: { usd: 5 } });
    await world.registry.delete(projects, { namespace: "default", name: "new" });
    await world.settle();
    expect(await readdir(join(world.folder, "projects"))).toEqual([]);
    await world.pass(60_000);
    expect(world.messages()).toEqual([]);
  });

  test("a deleted object leaves the other documents of its file as they were", async () => {
    await world.write("all.yaml", `# mine\n${project("a")}---\n# b\n${project("b")}`);
    await world.open();
    await world.registry.delete(projects, { namespace: "default", name: "a" });
    await world.settle();
    expect(await world.read("all.yaml")).toBe(`# mine\n---\n# b\n${project("b")}`);
    await world.pass(60_000);
    expect(world.project("b")).toBeDefined();
  });

  test("a deleted object leaves every file that declares it, and does not come back out of the second", async () => {
    await world.write("a.yaml", project("x"));
    await world.write("b.yaml", `${project("x")}---\n${project("other")}`);
    await world.open();
    await world.registry.delete(projects, { namespace: "default", name: "x" });
    await world.settle();
    await world.pass(60_000);
    expect(await readdir(world.folder)).toEqual([".bosun", "b.yaml"]);
    expect(await world.read("b.yaml")).toBe(`---\n${project("other")}`);
    await world.restart();
    expect(world.project("x")).toBeUndefined();
  });

  test.each([
    { going: "is being deleted", deleted: true },
    { going: "is gone from its file, and held", deleted: false },
  ])("an object that $going gets no file", async ({ deleted }) => {
    for (const name of ["b", "c"]) await world.write(`${name}.yaml`, project(name));
    await world.open();
    const held = parse(project("a"));
    held.metadata.finalizers = ["example.com/held"];
    const created = world.registry.create(projects, "default", held);
    if (deleted) await world.registry.delete(projects, { namespace: "default", name: "a" });
    else {
      await created;
      await world.settle();
      await unlink(join(world.folder, "projects/a.yaml"));
      await world.files.rescan();
      await world.patch("a", { spec: { skip: true } });
    }
    await created;
    await world.settle();
    await world.files.rescan();
    expect(world.project("a")).toBeDefined();
    expect(await readdir(world.folder, { recursive: true })).not.toContain("projects/a.yaml");
  });

  test("what can't be changed without losing a comment is told once, and keeps nothing else out of the file", async () => {
    const merged = `apiVersion: bosun.dev/v1alpha1
kind: Project
metadata:
  name: a
  labels: &labels {team: red}
  annotations:
    <<: *labels # the same
    mine: x
spec: {title: A}
`;
    await world.write("all.yaml", `${merged}---\n${project("b")}`);
    await world.open();
    await world.patch("a", { metadata: { annotations: { team: null } } });
    await world.patch("b", { spec: { skip: true } });
    await world.settle();
    await world.patch("a", { metadata: { annotations: { mine: "y" } } });
    await world.settle();
    await world.files.rescan();
    expect(await world.read("all.yaml")).toBe(`${merged}---\n${project("b")}  skip: true\n`);
    expect(world.project("a")?.metadata.annotations).toEqual({ mine: "y" });
    expect(world.reports).toMatchObject([
      {
        object: { kind: "Project", name: "a" },
        reason: "ProjectionFailed",
        message: expect.stringMatching(/^all\.yaml: .*metadata\.annotations\.team.* by hand\.$/),
      },
    ]);
    // By hand, then.
    const mended = `${project("a", "A")}---\n${project("b")}  skip: true\n`;
    await world.edit("all.yaml", mended);
    await world.patch("a", { spec: { skip: true } });
    await world.settle();
    expect(await world.read("all.yaml")).toBe(mended.replace("title: A\n", "title: A\n  skip: true\n"));
  });

  test("what could not be written is once a person has made room for it, though the file means what it did", async () => {
    const annotated = (annotations: string) => `apiVersion: bosun.dev/v1alpha1
kind: Project
metadata:
  name: a
  labels: &labels {team: red}
  annotations:
    ${annotations}
    mine: x
spec: {title: A}
`;
    await world.write("a.yaml", annotated("<<: *labels # the same"));
    await world.open();
    await world.patch("a", { metadata: { annotations: { team: null } } });
    await world.settle();
    expect(world.reports).toMatchObject([{ reason: "ProjectionFailed" }]);
    await world.edit("a.yaml", annotated("team: red"));
    await world.settle();
    expect(await world.read("a.yaml")).toBe(annotated("team: red").replace("    team: red\n", ""));
    expect(world.project("a")?.metadata.annotations).toEqual({ mine: "x" });
  });

  test("a write waits while the file holds an edit that was refused, and goes in once that is mended", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.edit("a.yaml", `${project("a")}  category: nonsense\n`);
    await world.patch("a", { spec: { skip: true } });
    await world.settle();
    expect(await world.read("a.yaml")).toBe(`${project("a")}  category: nonsense\n`);
    await world.edit("a.yaml", `${project("a")}  category: testing # ok\n`);
    expect(await world.read("a.yaml")).toBe(`${project("a")}  category: testing # ok\n  skip: true\n`);
    expect(world.spec("a")).toMatchObject({ category: "testing", skip: true });
  });

  test("what the API wrote last is in its file when the operator has ended", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.patch("a", { spec: { skip: true } });
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    await world.close();
    expect(await world.read("a.yaml")).toBe(`${project("a")}  skip: true\n`);
  });

  test("a write while the operator is down is taken as an edit at the next start", async () => {
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.close();
    await world.write("a.yaml", project("a", "Edited meanwhile"));
    await world.open();
    expect(world.spec("a")).toMatchObject({ title: "Edited meanwhile" });
  });
});

describe("what is gone from the files", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  beforeEach(async () => {
    for (const name of names) await world.write(`${name}.yaml`, project(name));
    await world.open();
  });
  const existing = () => names.filter((name) => world.project(name) !== undefined);

  test("a deleted file deletes its object after five seconds, not before", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.pass(4_900);
    expect(existing()).toEqual(names);
    await world.pass(200);
    expect(existing()).toEqual(names.slice(1));
    expect(world.messages()).toEqual([]);
  });

  test("a file truncated and written again deletes nothing", async () => {
    await world.edit("a.yaml", "");
    await world.pass(3_000);
    await world.edit("a.yaml", project("a", "Back"));
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    expect(world.spec("a")).toMatchObject({ title: "Back" });
  });

  test("a file that changes while it is read does not count yet", async () => {
    await world.write("a.yaml", `${header("a")}spec:\n`);
    world.meanwhile = () => world.write("a.yaml", project("a", "Whole"));
    await world.files.rescan();
    expect(world.spec("a")).toMatchObject({ title: "Title of a" });
    expect(world.messages()).toEqual([]);
    world.meanwhile = async () => {};
    await world.files.rescan();
    expect(world.spec("a")).toMatchObject({ title: "Whole" });
  });

  test("an emptied file deletes nothing, however long it stays so, and is told of", async () => {
    await world.write("a.yaml", "\n");
    await world.pass(6_000);
    await world.pass(6_000);
    expect(world.project("a")).toBeDefined();
    expect(world.messages()).toEqual([expect.stringMatching(/^InvalidFile: a\.yaml:1: The file is empty/)]);
  });

  test("an object that moves to another file is not deleted", async () => {
    await world.write("sub/moved.yaml", project("a", "Moved"));
    await unlink(join(world.folder, "a.yaml"));
    await rename(join(world.folder, "b.yaml"), join(world.folder, "sub/b2.yaml"));
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    expect(world.spec("a")).toMatchObject({ title: "Moved" });
    await world.patch("b", { spec: { skip: true } });
    await world.settle();
    expect(await world.read("sub/b2.yaml")).toBe(`${project("b")}  skip: true\n`);
  });

  test("an object that comes back in another file, after a while, loses what its last text said and this one doesn't", async () => {
    await world.edit("a.yaml", `${project("a")}  category: testing\n`);
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    await world.edit("again.yaml", project("a", "Again"));
    expect(world.spec("a")).toMatchObject({ title: "Again" });
    expect(world.spec("a")).not.toHaveProperty("category");
  });

  test("an object whose file was renamed and broken at once is not deleted", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.write("renamed.yaml", `${project("a")}  category: [\n`);
    await world.pass(60_000);
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    await unlink(join(world.folder, "renamed.yaml"));
    await world.files.rescan();
    expect(existing()).toEqual(names.slice(1));
  });

  test("an object whose file was renamed and came to say what is refused stays, and gets no file of its own", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.write("renamed.yaml", project("a", "5"));
    await world.pass(60_000);
    await world.restart();
    await world.settle();
    expect(world.spec("a")).toMatchObject({ title: "Title of a" });
    expect(await readdir(world.folder)).not.toContain("projects");
    await world.edit("renamed.yaml", project("a", "Mended"));
    await world.pass(60_000);
    expect(world.spec("a")).toMatchObject({ title: "Mended" });
  });

  test("a deletion that waits for an invalid file says so, once, and goes when that file is mended", async () => {
    await world.write("broken.yaml", "kind: [");
    await unlink(join(world.folder, "a.yaml"));
    await world.pass(60_000);
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    expect(world.messages().filter((line) => line.startsWith("DeletionHeld"))).toEqual([
      "DeletionHeld: Project a is gone from a.yaml but was kept: broken.yaml is not valid and may hold it; " +
        "once that is mended it is deleted. Put it back, or run `bosun accept-deletions`.",
    ]);
    await world.edit("broken.yaml", project("other"));
    expect(existing()).not.toContain("a");
  });

  test("a branch switch that takes many files is held until a person accepts it", async () => {
    for (const name of names.slice(0, 6)) await unlink(join(world.folder, `${name}.yaml`));
    await world.pass(60_000);
    await world.files.rescan();
    expect(existing()).toEqual(names);
    expect(world.reports).toHaveLength(6);
    expect(world.messages()[0]).toMatch(
      /^DeletionHeld: Project a is gone from a\.yaml but was kept: 6 of 8 .*accept-deletions/,
    );
    await world.restart();
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    expect((await world.files.acceptDeletions()).map(({ name }) => name)).toEqual(names.slice(0, 6));
    expect(existing()).toEqual(names.slice(6));
  });

  test("what goes while HEAD moves is held, and comes back with its file", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    world.headCommit = "c2";
    await world.pass(10_000);
    expect(existing()).toEqual(names);
    expect(world.messages()).toEqual([expect.stringMatching(/HEAD of the repository moved/)]);
    await world.edit("a.yaml", project("a", "Back"));
    await world.pass(10_000);
    expect(world.spec("a")).toMatchObject({ title: "Back" });
  });

  test("what is held again after it came back is told again, and what the API deleted meanwhile is held no more", async () => {
    for (const head of ["c2", "c3"]) {
      await unlink(join(world.folder, "a.yaml"));
      await world.files.rescan();
      world.headCommit = head;
      await world.pass(10_000);
      await world.edit("a.yaml", project("a"));
    }
    expect(world.messages()).toEqual(Array(2).fill(expect.stringMatching(/HEAD of the repository moved/)));
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    await world.registry.delete(projects, { namespace: "default", name: "a" });
    await world.settle();
    expect(await world.files.acceptDeletions()).toEqual([]);
  });

  test("an object that is made again in the moment in which the missing one is to go stays", async () => {
    await world.close();
    let meanwhile = async (): Promise<void> => {};
    await world.open({
      async head() {
        await meanwhile();
        return "c1";
      },
    });
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    meanwhile = async () => {
      meanwhile = async () => {};
      await world.registry.delete(projects, { namespace: "default", name: "a" });
      await world.registry.create(projects, "default", parse(project("a", "Again")));
    };
    world.elapsed += 60_000;
    await world.files.rescan();
    await world.pass(60_000);
    expect(world.spec("a")).toMatchObject({ title: "Again" });
  });

  test("an object that is made again is not the one that was missing: it has a file, and stays", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    await world.registry.delete(projects, { namespace: "default", name: "a" });
    await world.registry.create(projects, "default", parse(project("a", "Again")));
    await world.settle();
    await world.pass(60_000);
    expect(world.spec("a")).toMatchObject({ title: "Again" });
    expect(await world.read("projects/a.yaml")).toBe(project("a", "Again"));
    expect(world.messages()).toEqual([]);
  });

  test("nothing is deleted in the moment in which another file is being written: it may hold it", async () => {
    await unlink(join(world.folder, "a.yaml"));
    await world.files.rescan();
    world.elapsed += 10_000;
    await world.write("b.yaml", header("b"));
    world.meanwhile = () => world.write("b.yaml", project("b", "Whole"));
    await world.files.rescan();
    expect(existing()).toEqual(names);
    world.meanwhile = async () => {};
    await world.files.rescan();
    expect(existing()).toEqual(names.slice(1));
  });

  test("a folder that is gone with its file deletes the object of that file", async () => {
    await world.write("sub/deep/z.yaml", project("z"));
    await world.files.rescan();
    await rm(join(world.folder, "sub"), { recursive: true });
    await world.pass(60_000);
    expect(world.project("z")).toBeUndefined();
    expect(existing()).toEqual(names);
  });

  test("a folder that is gone deletes nothing", async () => {
    await rename(world.folder, `${world.folder}-away`);
    await world.pass(60_000);
    expect(existing()).toEqual(names);
    expect(world.messages()).toEqual([]);
    await rename(`${world.folder}-away`, world.folder);
  });
});

test("a hundred files are taken with a few syncs, however slow the disk", async () => {
  let syncs = 0;
  const counting: FileSystem = {
    ...nodeFileSystem,
    async create(path, mode) {
      const file = await nodeFileSystem.create(path, mode);
      return {
        ...file,
        datasync() {
          syncs += 1;
          return file.datasync();
        },
      };
    },
  };
  world = new World(world.folder, counting);
  for (let at = 0; at < 100; at += 1) await world.write(`projects/p-${at}.yaml`, project(`p-${at}`));
  await world.open();
  expect(world.spec("p-99")).toBeDefined();
  expect(syncs).toBeLessThan(20);
});

test.each(["EACCES", "EPERM"])(
  "a file that can't be read is named once, deletes nothing, and what waits for it goes in later: %s",
  async (code) => {
    let isLocked = true;
    const locked: FileSystem = {
      ...nodeFileSystem,
      async read(path) {
        if (isLocked && path.endsWith("/a.yaml"))
          throw Object.assign(new Error(`${code}: not permitted`), { code });
        return nodeFileSystem.read(path);
      },
    };
    await world.write("a.yaml", project("a"));
    await world.open();
    await world.close();
    world = new World(world.folder, locked);
    await world.write("b.yaml", project("b"));
    await chmod(join(world.folder, "a.yaml"), 0o600);
    await world.open();
    await world.pass(60_000);
    expect(world.project("a")).toBeDefined();
    expect(world.project("b")).toBeDefined();
    await world.patch("a", { spec: { description: "theirs" } });
    await world.pass(60_000);
    expect(world.messages()).toEqual([expect.stringMatching(`^InvalidFile: a.yaml:1: ${code}`)]);
    isLocked = false;
    await world.pass(60_000);
    expect(parse(await world.read("a.yaml")).spec).toMatchObject({ description: "theirs" });
    expect(world.messages()).toHaveLength(1);
  },
);

test.each([
  {
    code: "EIO",
    taken: false,
    told: [expect.stringMatching(/^InvalidFile: a\.yaml:1: the file can't be synced: EIO/)],
  },
  { code: "EINVAL", taken: true, told: [] },
])("an edit of which a sync fails with $code counts: $taken", async ({ code, taken, told }) => {
  let failing = true;
  const syncFile = async (path: string) => {
    if (failing) throw Object.assign(new Error(code), { code });
    await nodeFileSystem.syncFile(path);
  };
  world = new World(world.folder, { ...nodeFileSystem, syncFile });
  await world.write("a.yaml", project("a"));
  await world.open();
  for (let look = 0; look < 2; look += 1) await world.files.rescan();
  expect(world.project("a") !== undefined).toBe(taken);
  expect(world.messages()).toEqual(told);
  failing = false;
  await world.files.rescan();
  expect(world.project("a")).toBeDefined();
});

test("a JSON file is told of once, and counts under the name that it is to have: it was passed over in silence", async () => {
  const text = JSON.stringify({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name: "a" },
    spec: {
      title: "A",
      tasks: [{ id: "T-1", title: "Do it" }],
      acceptanceCriteria: [{ id: "AC-1", text: "Done." }],
    },
  });
  await world.write("projects/a.json", text);
  let notInForce: readonly string[] = [];
  await world.open({
    refused: (messages) => {
      notInForce = messages;
    },
  });
  await world.pass(60_000);
  expect(notInForce).toHaveLength(1);
  expect(world.project("a")).toBeUndefined();
  expect(world.messages()).toEqual([
    "InvalidFile: projects/a.json is not read: files of this folder are YAML. Rename it to projects/a.yaml; JSON is YAML too.",
  ]);
  await rename(join(world.folder, "projects/a.json"), join(world.folder, "projects/a.yaml"));
  await world.pass(60_000);
  expect(world.spec("a")).toMatchObject({ title: "A" });
  expect(world.messages()).toHaveLength(1);
  expect(notInForce).toEqual([]);
});

/** Has the files looked at five times, as while an operator runs. */
async function fiveLooks(of: World): Promise<void> {
  const end = new AbortController();
  let looks = 0;
  of.meanwhile = async () => {
    looks += 1;
    if (looks === 5) end.abort();
  };
  await of.files.run(end.signal);
}

test("a folder that can't be read for a while is told of once, and its edits are taken later", async () => {
  let failing = false;
  const list: FileSystem["list"] = async (path) => {
    if (failing) throw new Error("EMFILE: too many open files");
    return nodeFileSystem.list(path);
  };
  world = new World(world.folder, { ...nodeFileSystem, list });
  await world.open();
  await world.write("a.yaml", project("a"));
  failing = true;
  await fiveLooks(world);
  expect(world.messages()).toEqual(["InvalidFile: The folder can't be read: EMFILE: too many open files"]);
  failing = false;
  await fiveLooks(world);
  expect(world.project("a")).toBeDefined();
  failing = true;
  await fiveLooks(world);
  expect(world.messages()).toHaveLength(2);
});

test("a storage that has failed ends the watch over the files", async () => {
  const disk = crashFileSystem();
  disk.put("/folder/a.yaml", project("a"));
  const mine = new World("/folder", disk);
  await mine.open();
  disk.failAfter(0, { code: "ENOSPC", lasting: true });
  await expect(mine.patch("a", { spec: { skip: true } })).rejects.toThrow();
  disk.mend();
  disk.put("/folder/b.yaml", project("b"));
  await expect(fiveLooks(mine)).rejects.toThrow("storage failed");
});

test("a running watch takes an edit in any folder without being asked, long before it looks by itself", async () => {
  await world.write("a.yaml", project("a"));
  let looks = 0;
  const looked = Promise.withResolvers<void>();
  await world.open({
    watch: watchFolder,
    clock: systemClock,
    rescanMs: 600_000,
    // Asked at each look: the first is the start's, the second the watch's own.
    async head() {
      looks += 1;
      if (looks === 2) looked.resolve();
      return undefined;
    },
  });
  const end = new AbortController();
  const ran = world.files.run(end.signal);
  const changed = new Promise<void>((resolve) => {
    const stop = world.registry.subscribe((changes) => {
      if (!changes.some(({ object }) => (object?.spec as { title?: string })?.title === "Seen")) return;
      stop();
      resolve();
    });
  });
  await looked.promise;
  await world.write("sub/b.yaml", project("b", "Seen"));
  await changed;
  end.abort();
  await ran;
});

test.each([
  { since: "and no hand on the file", title: "Title of a" },
  { since: "and an edit of it before the restart", title: "Edited" },
])(
  "what an operator had just put into a file when it died is no edit that undoes what was written since, $since",
  async ({ title }) => {
    const dying = await dyingAsItWrites();
    await dying.patch("a", { spec: { description: "two" } });
    await dying.write("a.yaml", (await dying.read("a.yaml")).replace("Title of a", title));

    await world.open();
    expect(world.spec("a")).toMatchObject({ title, description: "two" });
    expect(await world.read("a.yaml")).toBe(`${project("a", title)}  description: two\n`);
    expect(world.messages()).toEqual([]);
  },
);

test("a write that meets an edit that nobody has seen yet has it taken, and goes in after it", async () => {
  await world.write("a.yaml", project("a"));
  await world.open({ clock: systemClock, rescanMs: 3_600_000 });
  const end = new AbortController();
  const ran = world.files.run(end.signal);
  // The second one comes after the first look of what runs.
  for (let look = 0; look < 2; look += 1) await world.files.rescan();
  await world.write("a.yaml", project("a", "Mine"));
  await world.patch("a", { spec: { description: "theirs" } });
  await expect
    .poll(async () => parse(await world.read("a.yaml")).spec)
    .toMatchObject({ title: "Mine", description: "theirs" });
  end.abort();
  await ran;
});

test("what an operator had just put into a file when it died is a person's word from their next edit on", async () => {
  const dying = await dyingAsItWrites();
  await dying.write("a.yaml", (await dying.read("a.yaml")).replace("Title of a", "Edited"));

  await world.open();
  for (const description of ["two", "one"]) {
    await world.edit("a.yaml", `${project("a", "Edited")}  description: ${description}\n`);
    expect(world.spec("a")).toMatchObject({ title: "Edited", description });
  }
});

/** An operator that has put "one" into a.yaml and has not come to know that it is safe there. */
async function dyingAsItWrites(): Promise<World> {
  let hangs = false;
  const never = new Promise<never>(() => {});
  const syncDirectory = (path: string) =>
    hangs && path === world.folder ? never : nodeFileSystem.syncDirectory(path);
  const dying = new World(world.folder, { ...nodeFileSystem, syncDirectory });
  await dying.write("a.yaml", project("a"));
  await dying.open();
  onTestFinished(() => dying.kill());
  hangs = true;
  await dying.patch("a", { spec: { description: "one" } });
  while (!(await dying.read("a.yaml")).includes("one")) await new Promise(setImmediate);
  return dying;
}

test("a file outlives its object until the log has the deletion: a kill in between leaves both", async () => {
  const folder = "/repository/.claude-sessions";
  const disk = crashFileSystem();
  disk.put(`${folder}/a.yaml`, project("a"));
  const { promise: slow, resolve: done } = Promise.withResolvers<void>();
  let isSlow = false;
  const create: FileSystem["create"] = async (path, mode) => {
    const file = await disk.create(path, mode);
    return {
      ...file,
      async datasync() {
        if (isSlow) await slow;
        await file.datasync();
      },
    };
  };
  const mine = new World(folder, { ...disk, create });
  await mine.open();
  await mine.patch("a", { spec: { description: "one" } });
  // Admitted in the turn before the files hear of the patch.
  isSlow = true;
  const deleted = mine.registry.delete(projects, { namespace: "default", name: "a" });
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect(await disk.read(`${folder}/a.yaml`)).toBeDefined();
  done();
  await deleted;
  await mine.settle();
  expect(await disk.read(`${folder}/a.yaml`)).toBeUndefined();
  await mine.close();
});

test("a save in the moment after Bosun looked at the file is never written over", async () => {
  const folder = "/repository/.claude-sessions";
  const path = `${folder}/a.yaml`;
  for (let read = 1; read <= 6; read += 1) {
    const disk = crashFileSystem();
    disk.put(path, project("a"));
    let reads = Number.NEGATIVE_INFINITY;
    const watched: FileSystem = {
      ...disk,
      async read(at) {
        const found = await disk.read(at);
        reads += at === path ? 1 : 0;
        if (reads === read) disk.save(path, project("a", "Saved"));
        return found;
      },
    };
    const mine = new World(folder, watched);
    await mine.open();
    reads = 0;
    await mine.patch("a", { spec: { description: "through the API" } });
    await mine.settle();
    if (reads < read) disk.save(path, project("a", "Saved"));
    // The first look may be the one that the save came after.
    for (let look = 1; look <= 2; look += 1) await mine.files.rescan();
    await mine.settle();
    expect(mine.spec("a"), `saved after read ${read}`).toMatchObject({ title: "Saved" });
    await mine.close();
  }
});

describe("a crash between any two steps", () => {
  test.each([
    { name: "and no hand on the files", edit: undefined },
    { name: "and an edit before the restart", edit: "Edited after the crash" },
  ])("$name: no acknowledged write is lost, and every file is whole", async ({ edit }) => {
    const folder = "/repository/.claude-sessions";
    const text = `# kept\n${project("a")}`;
    for (let step = 0; step < 400; step += 1) {
      const disk = crashFileSystem();
      disk.put(`${folder}/a.yaml`, text);
      const before = new World(folder, disk);
      const acknowledged: string[] = [];
      disk.crashAfter(step);
      let crashed = false;
      try {
        await before.open();
        await before.patch("a", { spec: { description: "one" } });
        acknowledged.push("one");
        await before.settle();
        await before.registry.create(projects, "default", parse(project("b")));
        acknowledged.push("b");
        await before.patch("a", { spec: { description: "two" } });
        acknowledged.push("two");
        await before.settle();
        await before.registry.delete(projects, { namespace: "default", name: "b" });
        acknowledged.push("b deleted");
        await before.settle();
      } catch (error) {
        // A file that can't be synced isn't taken: then there is no such object yet.
        if (!(error instanceof CrashError) && !/storage failed|crashed|not found/.test(String(error)))
          throw error;
        crashed = true;
      }
      await before.close().catch(() => {});
      const survived = disk.afterCrash(seeded(step));
      const left = (await survived.read(`${folder}/a.yaml`))?.toString() ?? "";
      if (edit !== undefined) survived.put(`${folder}/a.yaml`, left.replace("Title of a", edit));
      const after = new World(folder, survived);
      await after.open();
      const at = `crash at step ${step}, acknowledged ${acknowledged.join(", ")}`;
      const description = after.spec("a")?.description;
      if (acknowledged.includes("two")) expect(description, at).toBe("two");
      else if (acknowledged.includes("one")) expect(["one", "two"], at).toContain(description);
      if (acknowledged.includes("b deleted")) expect(after.project("b"), at).toBeUndefined();
      else if (acknowledged.includes("two"))
        expect([undefined, "Title of b"], at).toContain(after.spec("b")?.title);
      else if (acknowledged.includes("b")) expect(after.spec("b")?.title, at).toBe("Title of b");

      await after.pass(60_000);
      await after.settle();
      const found = (await after.fs.read(`${folder}/a.yaml`))?.toString();
      const wanted = description === undefined ? text : `${text}  description: ${description}\n`;
      expect(found, at).toBe(wanted.replace("Title of a", edit ?? "Title of a"));
      const b = (await after.fs.read(`${folder}/projects/b.yaml`))?.toString();
      expect(b, at).toBe(after.project("b") === undefined ? undefined : project("b"));
      expect(after.messages(), at).toEqual([]);
      for (const below of [folder, `${folder}/projects`]) {
        const names = ((await after.fs.list(below)) ?? []).map(({ name }) => name);
        expect(
          names.filter((name) => name.startsWith(".bosun-tmp-")),
          at,
        ).toEqual([]);
      }
      await after.close();
      if (!crashed) return;
    }
    throw new Error("The story is longer than 400 steps: raise the limit.");
  });
});

describe("any order of edits, API writes, stale saves and restarts", () => {
  const field = fc.constantFrom("title", "description", "category", "skip");
  const values: Record<string, readonly unknown[]> = {
    title: ["One", "yes", "two: three # four"],
    description: ["short", "two\nlines\n", "'quoted'"],
    category: ["testing", "security"],
    skip: [true, false],
  };
  const change = fc.record({ field, choice: fc.nat(2) });
  const step = fc.oneof(
    fc.record({ do: fc.constant("api" as const), change }),
    fc.record({ do: fc.constant("edit" as const), change }),
    fc.record({ do: fc.constantFrom("comment" as const, "open editor" as const, "save" as const) }),
    fc.record({ do: fc.constantFrom("rescan" as const, "settle" as const, "restart" as const) }),
  );
  const valueFor = ({ field, choice }: { field: string; choice: number }) => {
    const choices = values[field] ?? [];
    return choices[choice % choices.length];
  };

  test("file and object end up the same, and every comment that was saved last is there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const folder = "/repository/.claude-sessions";
        const path = `${folder}/a.yaml`;
        const disk = crashFileSystem();
        const read = async () => (await disk.read(path))?.toString() ?? "";
        const specOf = (text: string) => (parseYaml(text) as Any).documents[0].value;
        disk.put(path, `# top\n${project("a")}# end\n`);
        const mine = new World(folder, disk);
        await mine.open();
        let editor = await read();
        let comments = 0;
        for (const each of steps) {
          if (each.do === "api")
            await mine.patch("a", { spec: { [each.change.field]: valueFor(each.change) } });
          if (each.do === "edit") {
            const text = await read();
            const wanted = specOf(text);
            wanted.spec[each.change.field] = valueFor(each.change);
            disk.put(path, splice(text, 0, wanted));
          }
          if (each.do === "comment") {
            comments += 1;
            disk.put(path, (await read()).replace("spec:", `# note ${comments}\nspec:`));
          }
          if (each.do === "open editor") editor = await read();
          if (each.do === "save") disk.put(path, `${editor}# saved\n`);
          if (each.do === "rescan") await mine.files.rescan();
          if (each.do === "settle") await mine.settle();
          if (each.do === "restart") await mine.restart();
        }
        const saved = (await read()).match(/^#.*$/gm);
        await mine.settle();
        await mine.files.rescan();
        await mine.settle();

        const text = await read();
        const meant = mine.registry.meaning(specOf(text));
        expect(meant.spec).toEqual(mine.spec("a"));
        expect(text.match(/^#.*$/gm)).toEqual(saved);
        expect(mine.messages().filter((message) => !message.startsWith("EditOverrode"))).toEqual([]);
        await mine.close();
      }),
      { numRuns: 60 },
    );
  });
});

test("what of the files is not in force is told at the first look, and again whenever it is something else", async () => {
  const told: (readonly string[])[] = [];
  const refused = (messages: readonly string[]): void => void told.push(messages);
  await world.write("a.yaml", project("a"));
  await world.open({ refused });
  expect(told).toEqual([[]]);
  await world.edit("a.yaml", `${project("a")}  titel: x\n`);
  await world.files.rescan();
  expect(told).toEqual([
    [],
    [expect.stringMatching(/^a\.yaml:\d+: .*titel.* Nothing of this edit was taken/)],
  ]);
  await world.close();
  await world.open({ refused });
  expect(told).toHaveLength(3);
  expect(told[2]).toEqual(told[1]);
  await world.edit("a.yaml", project("a"));
  expect(told.at(-1)).toEqual([]);
});
