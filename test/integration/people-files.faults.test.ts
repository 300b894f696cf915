import { expect, test } from "vitest";
import { parse } from "yaml";
import {
  type CrashFileSystem,
  crashFileSystem,
  seeded,
} from "../../pkg/storage/testing/crash-file-system.ts";
import { everyFault, failureOf, faultsTimeoutMs, someOf } from "../../pkg/storage/testing/every-fault.ts";
import { project, projects, World } from "./people-files-world.ts";

const folder = "/repository/.claude-sessions";
const text = `# kept\n${project("a")}`;
const steps = ["one", "b", "two", "edited", "b deleted"] as const;

/** Clients write and a person saves; `done` has what was acknowledged. Throws when the storage is at its end. */
async function story(world: World, disk: CrashFileSystem, done: string[]): Promise<void> {
  await world.open();
  await world.patch("a", { spec: { description: "one" } });
  done.push("one");
  // Not waited for: the next writes are acknowledged while the file is written.
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  await world.registry.create(projects, "default", parse(project("b")));
  done.push("b");
  await world.patch("a", { spec: { description: "two" } });
  done.push("two");
  await world.settle();
  const saved = (await savedText(disk)).replace("Title of a", "Edited");
  disk.save(`${folder}/a.yaml`, saved);
  await world.files.rescan();
  // A storage that has failed no longer says what is; the edit counts once a write after it is acknowledged.
  await world.registry.transact([], []);
  if (world.spec("a")?.title === "Edited") done.push("edited");
  await world.settle();
  await world.registry.delete(projects, { namespace: "default", name: "b" });
  done.push("b deleted");
  await world.settle();
  // Throws when the storage failed meanwhile.
  await world.registry.transact([], []);
}

/** As the person's editor reads it: no call of ours. */
async function savedText(disk: CrashFileSystem): Promise<string> {
  const aside = disk.afterKill();
  return (await aside.read(`${folder}/a.yaml`))?.toString() ?? "";
}

function newDisk(): CrashFileSystem {
  const disk = crashFileSystem();
  disk.put(`${folder}/a.yaml`, text);
  return disk;
}

/** Opens what is left, and compares it with what was acknowledged; then file and object must come to agree. */
async function expectAll(disk: CrashFileSystem, done: readonly string[], when: string): Promise<World> {
  const world = new World(folder, disk);
  await world.open();
  // A save that was not taken yet may be torn: what is left of it is the person's, whatever it says.
  const isTorn = when.endsWith("power loss") && done.includes("two") && !done.includes("edited");
  if (isTorn) return world;
  const { title, description } = world.spec("a") ?? {};
  if (done.includes("two")) expect(description, when).toBe("two");
  else if (done.includes("one")) expect(["one", "two"], when).toContain(description);
  if (done.includes("edited")) expect(title, when).toBe("Edited");
  if (done.includes("b deleted")) expect(world.project("b"), when).toBeUndefined();
  else if (done.includes("b") && done.length < 3) expect(world.project("b"), when).toBeDefined();
  await expectAgreement(world, disk, when);
  return world;
}

async function expectAgreement(world: World, disk: CrashFileSystem, when: string): Promise<void> {
  await world.files.rescan();
  await world.pass(60_000);
  await world.settle();
  const { title, description } = world.spec("a") ?? {};
  const wanted = description === undefined ? text : `${text}  description: ${description}\n`;
  expect((await disk.read(`${folder}/a.yaml`))?.toString(), when).toBe(
    wanted.replace("Title of a", String(title)),
  );
  const b = (await disk.read(`${folder}/projects/b.yaml`))?.toString();
  expect(b, when).toBe(world.project("b") === undefined ? undefined : project("b"));
  for (const below of [folder, `${folder}/projects`]) {
    const names = ((await disk.list(below)) ?? []).map(({ name }) => name);
    expect(
      names.filter((name) => name.startsWith(".bosun-tmp-")),
      when,
    ).toEqual([]);
  }
}

test(
  "whichever call fails, and however, no acknowledged write or taken edit is lost, and files and objects agree again",
  async () => {
    const undisturbed = newDisk();
    const done: string[] = [];
    await story(new World(folder, undisturbed), undisturbed, done);
    expect(done).toEqual(steps);

    for (const { step, fault, said } of someOf(everyFault(undisturbed.made), 40)) {
      const disk = newDisk();
      const world = new World(folder, disk);
      const done: string[] = [];
      disk.failAfter(step, fault);
      const failure = await failureOf(story(world, disk, done));
      if (fault.code === "Short") expect(failure, said).toBeUndefined();
      disk.mend();
      for (const seed of [step, step + 1])
        await (await expectAll(disk.afterCrash(seeded(seed)), done, `${said}, then a power loss`)).close();

      // A process that need not end comes to terms with it by itself.
      if (failure === undefined) await expectAgreement(world, disk, `${said}, then all is well`);
      await world.close().catch(() => {
        // It is at its end.
      });
      const next = disk.afterKill();
      await (await expectAll(next, done, `${said}, then a restart`)).close();
      await (
        await expectAll(next.afterCrash(seeded(step)), done, `${said}, then a restart and a power loss`)
      ).close();
    }
  },
  faultsTimeoutMs,
);

test(
  "a process killed before any call leaves what the next one shows, after a power loss too",
  async () => {
    const undisturbed = newDisk();
    await story(new World(folder, undisturbed), undisturbed, []);
    const all = [...undisturbed.made.keys()];
    // Each time: what is in place by then, and may not be on the disk.
    const renamed = all.filter((step) => undisturbed.made[step - 1] === "rename");
    for (const step of new Set([...someOf(all, 40), ...renamed])) {
      const disk = newDisk();
      const world = new World(folder, disk);
      const done: string[] = [];
      disk.crashAfter(step);
      await failureOf(story(world, disk, done));
      await world.close().catch(() => {
        // Killed.
      });
      const next = disk.afterKill();
      const after = new World(folder, next);
      await after.open();
      const { title, description } = after.spec("a") ?? {};
      const hasB = after.project("b") !== undefined;
      const shown: string[] = [...done, ...(title === "Edited" ? ["edited"] : [])];
      const said = `killed at step ${step}, then opened`;
      for (const seed of [step, step + 1, step + 2]) {
        const lost = await expectAll(next.afterCrash(seeded(seed)), shown, `${said}, then a power loss`);
        expect(lost.spec("a")?.description, said).toBe(description);
        expect(lost.project("b") !== undefined, said).toBe(hasB);
        await lost.close();
      }
      await after.close();
    }
  },
  faultsTimeoutMs,
);

test.each([
  { path: "b.yaml", removed: "b.yaml" },
  { path: "sub/b.yaml", removed: "sub" },
  { path: "sub/deep/b.yaml", removed: "sub" },
])(
  "$path that a person removed with $removed does not come back as their newest edit by a power loss",
  async ({ path, removed }) => {
    for (let seed = 0; seed < 10; seed += 1) {
      const disk = newDisk();
      disk.put(`${folder}/${path}`, project("b"));
      const world = new World(folder, disk);
      await world.open();
      // By no call of ours, and nothing is synced.
      await disk.remove(`${folder}/${removed}`);
      await world.pass(60_000);
      expect(world.project("b")).toBeUndefined();
      await world.close();
      const next = new World(folder, disk.afterCrash(seeded(seed)));
      await next.open();
      expect(next.project("b"), `seed ${seed}`).toBeUndefined();
      await next.close();
    }
  },
);

type Files = Readonly<Record<string, string | undefined>>;
const both = (one: string, other: string) => `${one}---\n${other}`;

test.each<{
  what: string;
  before: Files;
  after: Files;
  titles: Readonly<Record<string, string>>;
  /** What they save once they were told that something was refused, and the titles from then on. */
  mended?: Files;
  titlesThen?: Readonly<Record<string, string>>;
}>([
  {
    what: "removed a file",
    before: { "projects/b.yaml": project("b") },
    after: { "projects/b.yaml": undefined },
    titles: {},
  },
  {
    what: "removed a document",
    before: { "b.yaml": both(project("c"), project("b")) },
    after: { "b.yaml": project("c") },
    titles: { c: "Title of c" },
  },
  { what: "made a file", before: {}, after: { "b.yaml": project("b", "Mine") }, titles: { b: "Mine" } },
  {
    what: "edited a file",
    before: { "b.yaml": project("b") },
    after: { "b.yaml": project("b", "Mine") },
    titles: { b: "Mine" },
  },
  {
    what: "renamed a file",
    before: { "b.yaml": project("b") },
    after: { "b.yaml": undefined, "z.yaml": project("b", "Mine") },
    titles: { b: "Mine" },
  },
  {
    what: "moved a document",
    before: { "b.yaml": both(project("b"), project("c")), "d.yaml": project("d") },
    after: { "b.yaml": project("c"), "d.yaml": both(project("d"), project("b", "Mine")) },
    titles: { b: "Mine", c: "Title of c", d: "Title of d" },
  },
  {
    what: "moved a document into a file that is refused for another one",
    before: { "b.yaml": both(project("b"), project("c")), "d.yaml": project("d") },
    after: { "b.yaml": project("c"), "d.yaml": both(project("d", "7"), project("b", "Mine")) },
    titles: { b: "Title of b", c: "Title of c", d: "Title of d" },
    mended: { "d.yaml": both(project("d"), project("b", "Mine")) },
    titlesThen: { b: "Mine", c: "Title of c", d: "Title of d" },
  },
  {
    what: "renamed a file and made it one that is refused",
    before: { "b.yaml": both(project("b"), project("c")) },
    after: { "b.yaml": undefined, "z.yaml": both(project("b", "Mine"), project("c", "7")) },
    titles: { b: "Title of b", c: "Title of c" },
    mended: { "z.yaml": both(project("b", "Mine"), project("c")) },
    titlesThen: { b: "Mine", c: "Title of c" },
  },
])(
  "what a person did stays done, whenever the process that noticed is killed: they $what",
  async ({ before, after, titles, mended = {}, titlesThen = titles }) => {
    for (let step = 0; ; step += 1) {
      const disk = newDisk();
      for (const [path, said] of Object.entries(before)) disk.put(`${folder}/${path}`, said ?? "");
      const world = new World(folder, disk);
      await world.open();
      for (const [path, said] of Object.entries(after))
        if (said === undefined) await disk.remove(`${folder}/${path}`);
        else disk.save(`${folder}/${path}`, said);
      disk.crashAfter(step);
      const failure = await failureOf(world.pass(60_000));
      await world.close().catch(() => {
        // Killed.
      });
      const left = disk.afterKill();
      const next = new World(folder, left);
      await next.open();
      await expectDone(next, after, titles, `killed at step ${step}`);
      for (const [path, said] of Object.entries(mended)) left.save(`${folder}/${path}`, said ?? "");
      await expectDone(next, { ...after, ...mended }, titlesThen, `killed at step ${step}, then mended`);
      await next.close();
      if (failure === undefined) return;
    }
  },
);

async function expectDone(
  world: World,
  saved: Files,
  titles: Readonly<Record<string, string>>,
  when: string,
) {
  await world.pass(60_000);
  await world.settle();
  for (const name of ["b", "c", "d"]) expect(world.spec(name)?.title, when).toBe(titles[name]);
  for (const [path, said] of Object.entries(saved))
    expect((await world.fs.read(`${folder}/${path}`))?.toString(), when).toBe(said);
  // None got a file that nobody asked for.
  expect((await world.fs.list(`${folder}/projects`)) ?? [], when).toEqual([]);
}
