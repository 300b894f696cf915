import { expect, test } from "vitest";
import { replaceFile, replaceFileSync, temporaryPath } from "./replace-file.ts";
import { type CrashDisk, crashDisk } from "./testing/crash-disk.ts";
import { crashFileSystem } from "./testing/crash-file-system.ts";
import { everyFault, failureOf } from "./testing/every-fault.ts";
import { seeded } from "./testing/seeded.ts";

const folder = "/repository/.claude-sessions";
const path = `${folder}/agent-1.session`;

const forms: [name: string, replace: (disk: CrashDisk, text: string) => Promise<void>][] = [
  [
    "replaceFile",
    async (disk, text) => {
      await replaceFile(crashFileSystem(disk), path, [Buffer.from(text)], 0o644);
    },
  ],
  [
    "replaceFileSync",
    async (disk, text) => replaceFileSync(path, text, { durable: true }, disk.blockingCalls),
  ],
];

function begun(): CrashDisk {
  const disk = crashDisk();
  disk.put(path, "old");
  return disk;
}

const textOf = (disk: CrashDisk) => disk.blockingCalls.readFileSync(path).toString();
const namesOf = async (disk: CrashDisk) =>
  (await disk.calls.readdir(folder, { withFileTypes: true })).map(({ name }) => name);

test.each(forms)(
  "%s, killed at any call, leaves nothing that people see or that outlives the next one: each kill left a file among theirs",
  async (_name, replace) => {
    const undisturbed = begun();
    await replace(undisturbed, "new");
    const leftAt: number[] = [];
    for (let step = 0; step <= undisturbed.made.length; step += 1) {
      const disk = begun();
      disk.crashAfter(step);
      await failureOf(replace(disk, "new"));
      const next = disk.afterKill();
      const left = (await namesOf(next)).filter((name) => name !== "agent-1.session");
      expect(["", ".bosun-tmp-agent-1.session"], `killed at step ${step}`).toContain(left.join());
      if (left.length > 0) leftAt.push(step);
      for (const seed of [step, step + 1])
        expect(["old", "new"], `power loss at step ${step}`).toContain(textOf(disk.afterCrash(seeded(seed))));
      await replace(next, "newer");
      expect(await namesOf(next), `killed at step ${step}, then again`).toEqual(["agent-1.session"]);
      expect(textOf(next.afterCrash(seeded(step))), `killed at step ${step}, then again`).toBe("newer");
    }
    expect(leftAt).not.toEqual([]);
  },
);

test.each(forms)(
  "%s, whichever call fails, leaves the old text or the new one, and succeeds with the new one alone",
  async (_name, replace) => {
    const undisturbed = begun();
    await replace(undisturbed, "new");
    for (const { step, fault, said } of everyFault(undisturbed.made)) {
      const disk = begun();
      disk.failAfter(step, fault);
      const error = await failureOf(replace(disk, "new"));
      expect(disk.open, said).toBe(0);
      disk.mend();
      for (const seed of [step, step + 1])
        expect(error === undefined ? ["new"] : ["old", "new"], said).toContain(
          textOf(disk.afterCrash(seeded(seed))),
        );
    }
  },
);

test("two writers of one file, one of them in the middle, leave each other's temporary file alone", () => {
  const disk = begun();
  disk.put(temporaryPath(path, "host"), "half of what the host wri");
  replaceFileSync(path, "the operator's", { durable: false, writer: "operator" }, disk.blockingCalls);
  expect(disk.blockingCalls.existsSync(temporaryPath(path, "host"))).toBe(true);
  replaceFileSync(path, "the host's", { durable: false, writer: "host" }, disk.blockingCalls);
  expect(disk.blockingCalls.existsSync(temporaryPath(path, "host"))).toBe(false);
  expect(textOf(disk)).toBe("the host's");
});

test.each([
  { there: "old", over: "old", now: "new" },
  { there: "edited", over: "old", now: "edited" },
  { there: "made by a person", over: undefined, now: "made by a person" },
  { there: undefined, over: undefined, now: "new" },
  { there: undefined, over: "old", now: undefined },
])(
  "over $over is written where $there is: then it is $now, and nothing else",
  async ({ there, over, now }) => {
    const fs = crashFileSystem();
    await fs.makeDirectory(folder, 0o755);
    if (there !== undefined) fs.put(path, there);
    expect(await replaceFile(fs, path, [Buffer.from("new")], 0o644, { over })).toBe(now === "new");
    expect((await fs.read(path))?.toString()).toBe(now);
    expect(await fs.stat(temporaryPath(path))).toBeUndefined();
  },
);
