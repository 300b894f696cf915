import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { TerminalError } from "../../runtime/errors.ts";
import type { FileSystem } from "../file-system.ts";
import { nodeFileSystem as fs } from "../node-file-system.ts";
import { temporaryPath, temporaryPrefix } from "../replace-file.ts";
import type { Change, StoredState, Transaction } from "../storage.ts";
import { CrashError, crashFileSystem, seeded } from "../testing/crash-file-system.ts";
import { openLog } from "./log.ts";
import { logFiles, segmentName } from "./log-files.ts";
import { recover } from "./recover.ts";

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "bosun-log-")), "log");
});
afterEach(() => rm(join(directory, ".."), { recursive: true }));

function put(revision: number, name: string, spec: unknown = { revision }): Change {
  const object: KubeObject = {
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name, resourceVersion: String(revision) },
    spec,
  };
  return { revision, resource: "bosun.dev/projects", namespace: "default", name, object };
}

function remove(revision: number, name: string): Change {
  return { ...put(revision, name), object: undefined };
}

/** What a reader would see, in one order. */
function seen({ revision, objects, files }: StoredState) {
  return {
    revision,
    objects: Object.fromEntries(
      objects.map(({ name, object }) => [name, object]).sort(([a], [b]) => (`${a}` < `${b}` ? -1 : 1)),
    ),
    files: Object.fromEntries(
      files.map(({ path, text }) => [path, text]).sort(([a], [b]) => (`${a}` < `${b}` ? -1 : 1)),
    ),
  };
}

async function reopened(options: { segmentBytes?: number } = {}) {
  const log = openLog({ directory, fs, ...options });
  const state = await log.open();
  await log.close();
  return seen(state);
}

async function written(...transactions: Transaction[]) {
  const log = openLog({ directory, fs });
  await log.open();
  for (const transaction of transactions) await log.commit(transaction);
  await log.close();
}

const segment = (sequence: number) => join(directory, `segment-0000000${sequence}`);

describe("a log on a real disk", () => {
  test("a new log is empty at revision 0", async () => {
    expect(await reopened()).toEqual({ revision: 0, objects: {}, files: {} });
  });

  test("objects, deletions, file texts and the greatest revision are there after a restart", async () => {
    await written(
      { changes: [put(1, "a"), put(2, "b")], files: [{ path: "a.yaml", text: "kind: Project\n" }] },
      { changes: [remove(3, "b")], files: [{ path: "b.yaml", text: "x" }] },
      { changes: [], files: [{ path: "b.yaml", text: undefined }] },
    );
    expect(await reopened()).toEqual({
      revision: 3,
      objects: { a: put(1, "a").object },
      files: { "a.yaml": "kind: Project\n" },
    });
  });

  test("files are for their owner alone", async () => {
    await written({ changes: [put(1, "a")] });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory))
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
  });

  test("the epoch grows with every opening", async () => {
    const epochs: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const log = openLog({ directory, fs });
      await log.open();
      epochs.push(log.epoch);
      await log.close();
    }
    expect(epochs).toEqual([1, 2, 3]);
  });

  test("commits made at once resolve in the order made and share a record", async () => {
    const log = openLog({ directory, fs });
    await log.open();
    const resolved: number[] = [];
    const commits = Array.from({ length: 100 }, (_, index) =>
      log.commit({ changes: [put(index + 1, `p${index}`)] }).then(() => resolved.push(index)),
    );
    await Promise.all(commits);
    await log.close();
    expect(resolved).toEqual(Array.from({ length: 100 }, (_, index) => index));
    // One start frame, one group.
    expect((await readFile(segment(1))).toString("latin1").split("BWL").length - 1).toBe(2);
    expect((await reopened()).revision).toBe(100);
  });

  test.each([1, 200, 201, 401])(
    "a snapshot of %d objects holds each of them, and the texts",
    async (count) => {
      const changes = Array.from({ length: count }, (_, index) => put(index + 1, `p${index}`));
      const log = openLog({ directory, fs, segmentBytes: 100 });
      await log.open();
      await log.commit({ changes, files: [{ path: "a.yaml", text: "a" }] });
      await log.close();
      // The segment that said so is gone.
      expect(logFiles(await readdir(directory))).toEqual({ segments: [2], snapshots: [2] });
      expect(await reopened()).toEqual({
        revision: count,
        objects: Object.fromEntries(changes.map(({ name, object }) => [name, object])),
        files: { "a.yaml": "a" },
      });
    },
  );

  test("the next snapshot waits after a restart too until as much was written as the last one holds", async () => {
    const snapshots = async () => (await readdir(directory)).filter((name) => name.startsWith("snapshot-"));
    const first = openLog({ directory, fs, segmentBytes: 1000 });
    await first.open();
    await first.commit({ changes: [put(1, "large", "x".repeat(20_000))] });
    await first.close();
    const taken = await snapshots();
    expect(taken).toHaveLength(1);
    const second = openLog({ directory, fs, segmentBytes: 1000 });
    await second.open();
    await second.commit({ changes: [put(2, "small", "x".repeat(2_000))] });
    await second.close();
    expect(await snapshots()).toEqual(taken);
  });

  test("of many changes the newest are told for watches, up to the last and without a gap", async () => {
    const count = 12_000;
    const changes = Array.from({ length: count }, (_, index) => put(index + 1, `p${index % 7}`));
    const quarters = [0, 1, 2, 3].map((part) => changes.slice((part * count) / 4, ((part + 1) * count) / 4));
    await written(...quarters.map((quarter) => ({ changes: quarter })));
    const { recent = [] } = await openLog({ directory, fs }).open();
    expect(recent.length).toBeGreaterThan(1_000);
    expect(recent.map(({ revision }) => revision)).toEqual(
      Array.from(recent, (_, index) => count - recent.length + 1 + index),
    );
  });

  test("segments do not pile up behind a snapshot that is far larger than they are", async () => {
    const log = openLog({ directory, fs, segmentBytes: 500 });
    await log.open();
    await log.commit({ changes: [put(1, "large", "x".repeat(100_000))] });
    for (let revision = 2; revision <= 50; revision += 1)
      await log.commit({ changes: [put(revision, "small", "x".repeat(500))] });
    await log.close();
    expect((await readdir(directory)).length).toBeLessThan(25);
  });

  test("many short runs do not pile up segments", async () => {
    for (let run = 1; run <= 50; run += 1) await written({ changes: [put(run, "a")] });
    expect((await readdir(directory)).length).toBeLessThan(25);
    expect((await reopened()).revision).toBe(50);
  });

  test("a torn tail is cut, and its bytes are kept aside", async () => {
    await written({ changes: [put(1, "a")] }, { changes: [put(2, "b")] });
    const whole = await readFile(segment(1));
    await truncate(segment(1), whole.length - 7);

    expect((await reopened()).revision).toBe(1);

    const cut = (await readdir(directory)).find((name) => name.startsWith("cut-"));
    expect(cut).toBeDefined();
    const kept = await readFile(join(directory, cut ?? ""));
    expect(whole.includes(kept)).toBe(true);
    await written({ changes: [put(2, "c")] });
    expect(Object.keys((await reopened()).objects)).toEqual(["a", "c"]);
  });

  test("a log that is cut at any byte of its last record has all before it, and what is left of that one is kept aside", async () => {
    await written({ changes: [put(1, "a")] }, { changes: [put(2, "b")] });
    const whole = await readFile(segment(1));
    const at = whole.lastIndexOf("BWL") - 1;
    for (let end = at; end < whole.length; end += 1) {
      const disk = crashFileSystem();
      disk.put("/log/segment-00000001", whole.subarray(0, end));
      const log = openLog({ directory: "/log", fs: disk });
      expect((await log.open()).revision, `cut at ${end}`).toBe(1);
      await log.close();
      const names = ((await disk.names("/log")) ?? []).filter((name) => name.startsWith("cut-"));
      expect(names).toEqual(end === at ? [] : [`cut-segment-00000001-at-${at}`]);
      for (const name of names) expect(await disk.read(join("/log", name))).toEqual(whole.subarray(at, end));
    }
  });

  test("what a person copies beside the log's files is no part of it", async () => {
    await written({ changes: [put(1, "a")] });
    for (const name of ["segment-00000001", "snapshot-00000009"])
      await writeFile(join(directory, `${name}.bak`), "copied");
    await written({ changes: [put(2, "a")] });
    expect((await reopened()).revision).toBe(2);
  });

  test("damage before the tail refuses to start, names file and byte, and changes nothing", async () => {
    await written({ changes: [put(1, "a")] }, { changes: [put(2, "b")] });
    const bytes = await readFile(segment(1));
    const at = bytes.indexOf('"name":"a"');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(segment(1), bytes);
    const before = await readdir(directory);

    const error = await reopened().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TerminalError);
    expect((error as Error).message).toContain(segment(1));
    expect((error as Error).message).toMatch(/at byte \d+: the checksum does not match/);
    expect((error as Error).message).toMatch(/truncate -s \d+/);
    expect(await readdir(directory)).toEqual(before);
    expect(await readFile(segment(1))).toEqual(bytes);
  });

  test("whatever is damaged of a record's header, the record behind it tells that it is no torn tail", async () => {
    await written({ changes: [put(1, "a")] }, { changes: [put(2, "b")] });
    const whole = await readFile(segment(1));
    // Behind the segment's first record.
    const at = whole.indexOf("BWL", 4) - 1;
    for (let byte = at; byte < at + 32; byte += 1) {
      const bytes = Buffer.from(whole);
      bytes[byte] = (bytes[byte] ?? 0) ^ 0x55;
      await writeFile(segment(1), bytes);
      await expect(reopened(), `byte ${byte - at}`).rejects.toThrow(TerminalError);
    }
  });

  test("damage at the end of a segment that another follows refuses to start", async () => {
    await written({ changes: [put(1, "a")] });
    await written({ changes: [put(2, "b")] });
    await truncate(segment(1), (await stat(segment(1))).size - 3);
    await expect(reopened()).rejects.toThrow(/segment-00000001 is damaged/);
  });

  test("damage at the end of a segment refuses to start also where the next one says nothing of it", async () => {
    const { encodeFrame } = await import("./frame.ts");
    await written({ changes: [put(1, "a")] });
    // As of a folder that was put together from two copies.
    const start = { type: "segmentStart", epoch: 2, revision: 1, payload: '{"seals":{}}' } as const;
    await writeFile(segment(2), encodeFrame(start));
    await truncate(segment(1), (await stat(segment(1))).size - 3);
    await expect(reopened()).rejects.toThrow(/segment-00000001 is damaged/);
  });

  test("a whole record that is gone from the end of a full segment is missed by the one that follows it", async () => {
    const log = openLog({ directory, fs, segmentBytes: 1_000 });
    await log.open();
    // Large enough that the segments after it are kept beside its snapshot.
    await log.commit({ changes: [put(1, "large", "x".repeat(20_000))] });
    for (let revision = 2; revision <= 20; revision += 1) await log.commit({ changes: [put(revision, "a")] });
    await log.close();
    const full = (await readdir(directory)).filter((name) => name.startsWith("segment-")).sort()[0] ?? "";
    const bytes = await readFile(join(directory, full));
    await truncate(join(directory, full), bytes.lastIndexOf("BWL") - 1);
    await expect(reopened()).rejects.toThrow(new RegExp(`${full} is damaged .*: it should have`));
  });

  test("a snapshot behind which every segment is gone is not all that was known, whoever reads it", async () => {
    for (let run = 1; run <= 20; run += 1) await written({ changes: [put(run, "a")] });
    for (const name of await readdir(directory))
      if (name.startsWith("segment-")) await rm(join(directory, name));
    await expect(recover(fs, directory)).rejects.toThrow(/is damaged at byte 0: the file is gone/);
    await expect(reopened()).rejects.toThrow(/is damaged at byte 0: the file is gone/);
  });

  test.each([1, 2])("a log whose segment %d is missing refuses to start", async (missing) => {
    for (let run = 1; run <= 3; run += 1) await written({ changes: [put(run, "a")] });
    await rm(segment(missing));
    await expect(reopened()).rejects.toThrow(
      `segment-0000000${missing} is damaged at byte 0: the file is gone`,
    );
  });

  test("a snapshot of which a whole part is missing refuses to start", async () => {
    for (let run = 1; run <= 20; run += 1) await written({ changes: [put(run, "a")] });
    const name = (await readdir(directory)).find((entry) => entry.startsWith("snapshot-")) ?? "";
    const bytes = await readFile(join(directory, name));
    await writeFile(join(directory, name), bytes.subarray(bytes.indexOf("BWL", 4) - 1));
    await expect(reopened()).rejects.toThrow(/it holds .* and should hold/);
  });

  test("what is being written when the log is closed is safe before it is", async () => {
    const log = openLog({ directory, fs });
    await log.open();
    const committed = log.commit({ changes: [put(1, "a")] });
    await log.close();
    await committed;
    expect((await reopened()).revision).toBe(1);
  });

  test("what a crash left of a snapshot that was being written is gone with the next start", async () => {
    await written({ changes: [put(1, "a")] });
    const left = temporaryPath(join(directory, "snapshot-00000001"));
    await writeFile(left, "half of it");
    expect((await reopened()).revision).toBe(1);
    expect(await readdir(directory)).not.toContain(basename(left));
  });

  test("a damaged snapshot refuses to start", async () => {
    for (let run = 1; run <= 20; run += 1) await written({ changes: [put(run, "a")] });
    const name = (await readdir(directory)).find((entry) => entry.startsWith("snapshot-")) ?? "";
    const bytes = await readFile(join(directory, name));
    bytes[bytes.length - 1] = 0;
    await writeFile(join(directory, name), bytes);
    await expect(reopened()).rejects.toThrow(/The snapshot .* is damaged/);
  });

  test.each([
    { what: "a format version", at: 4, value: 2, message: "format version 2 is not 1" },
    { what: "a kind of record", at: 6, value: 9, message: "frame type 9 is unknown" },
  ])(
    "$what of a newer release refuses to start instead of being cut as a torn tail",
    async ({ at, value, message }) => {
      const { encodeFrame } = await import("./frame.ts");
      const { crc32 } = await import("node:zlib");
      await written({ changes: [put(1, "a")] });
      const newer = encodeFrame({ type: "transactions", epoch: 1, revision: 2, payload: "[]" });
      newer.writeUInt16LE(value, at);
      newer.writeUInt32LE(0, 12);
      newer.writeUInt32LE(crc32(newer), 12);
      await writeFile(segment(1), Buffer.concat([await readFile(segment(1)), newer]));
      await expect(reopened()).rejects.toThrow(message);
    },
  );

  test("an owner that was taken over acknowledges nothing more, and what it still wrote does not count", async () => {
    const stale = openLog({ directory, fs });
    await stale.open();
    await stale.commit({ changes: [put(1, "a")] });

    const next = openLog({ directory, fs });
    expect((await next.open()).revision).toBe(1);
    await expect(stale.commit({ changes: [put(2, "stale")] })).rejects.toThrow(/Another operator took over/);
    await next.commit({ changes: [put(2, "b")] });
    await next.close();
    await stale.close();

    expect(Object.keys((await reopened()).objects)).toEqual(["a", "b"]);
  });

  test("an owner that is suspended in the middle of a write while another takes over acknowledges nothing of it", async () => {
    let suspended = async (): Promise<unknown> => undefined;
    const slow: FileSystem = {
      ...fs,
      async create(path, mode) {
        const file = await fs.create(path, mode);
        return {
          ...file,
          async write(bytes) {
            await suspended();
            await file.write(bytes);
          },
        };
      },
    };
    const stale = openLog({ directory, fs: slow });
    await stale.open();
    const next = openLog({ directory, fs });
    let taken: StoredState | undefined;
    suspended = async () => {
      taken = await next.open();
    };
    await expect(stale.commit({ changes: [put(1, "stale")] })).rejects.toThrow(/Another operator took over/);
    expect(taken).toMatchObject({ revision: 0, objects: [] });
    await stale.close();
    await next.close();
    expect((await reopened()).revision).toBe(0);
  });

  test("an owner that slept while its successors took snapshots acknowledges nothing, whatever files are gone", async () => {
    for (const segmentBytes of [4_000_000, 1]) {
      const stale = openLog({ directory, fs, segmentBytes });
      const { revision } = await stale.open();
      const own = (await readdir(directory)).filter((name) => name.startsWith("segment-")).sort();
      for (let run = 1; run <= 40; run += 1) await written({ changes: [put(revision + run, "a")] });
      // With the next number free, only what else lies there tells that somebody went by.
      expect(await readdir(directory)).not.toContain(own.at(-1));

      await expect(stale.commit({ changes: [put(revision + 1, "stale")] })).rejects.toThrow(
        /Another operator took over/,
      );
      await stale.close();
      const state = await reopened();
      expect(state.revision).toBe(revision + 40);
      expect(Object.keys(state.objects)).toEqual(["a"]);
    }
  });

  test.each([
    { by: "an empty one", left: [] },
    { by: "one without what is written to", left: ["snapshot-00000001"] },
  ])("an owner whose folder was replaced by $by acknowledges nothing more, and says so", async ({ left }) => {
    const log = openLog({ directory, fs });
    await log.open();
    await log.commit({ changes: [put(1, "a")] });
    await rename(directory, `${directory}-aside`);
    await mkdir(directory);
    for (const name of left) await writeFile(join(directory, name), "");
    await expect(log.commit({ changes: [put(2, "b")] })).rejects.toThrow(
      `The log was removed while it was open: ${directory} holds nothing of it any more`,
    );
    await log.close();
  });

  test.each([
    { of: "a lower epoch behind those of a higher one", epoch: 1, revision: 3 },
    { of: "a lower revision behind those of a higher one", epoch: 2, revision: 1 },
  ])("records of $of refuse to start", async ({ epoch, revision }) => {
    const { encodeFrame } = await import("./frame.ts");
    await written({ changes: [put(1, "a")] });
    await written({ changes: [put(2, "b")] });
    const stale = encodeFrame({ type: "transactions", epoch, revision, payload: "[]" });
    await writeFile(segment(2), Buffer.concat([await readFile(segment(2)), stale]));
    await expect(reopened()).rejects.toThrow(
      `epoch ${epoch} at revision ${revision} behind one of epoch 2 at revision 2`,
    );
  });

  test("a segment of an older copy of the folder, behind a snapshot, refuses to start", async () => {
    const { encodeFrame } = await import("./frame.ts");
    for (let run = 1; run <= 20; run += 1) await written({ changes: [put(run, "a")] });
    const { segments } = logFiles(await readdir(directory));
    const stale = encodeFrame({ type: "segmentStart", epoch: 1, revision: 20, payload: '{"seals":{}}' });
    await writeFile(join(directory, segmentName(segments[0] ?? 0)), stale);
    for (const sequence of segments.slice(1)) await rm(join(directory, segmentName(sequence)));
    await expect(reopened()).rejects.toThrow(/epoch 1 at revision 20 behind one of epoch \d+/);
  });

  test("a snapshot that can't be written ends the log, which says why", async () => {
    const full: FileSystem = {
      ...fs,
      async create(path, mode) {
        if (basename(path).startsWith(temporaryPrefix)) throw new Error("ENOSPC");
        return fs.create(path, mode);
      },
    };
    const log = openLog({ directory, fs: full, segmentBytes: 1 });
    await log.open();
    let revision = 0;
    const commit = () => log.commit({ changes: [put(++revision, "a")] });
    await expect.poll(() => commit().then(() => "taken", String)).toBe("Error: ENOSPC");
    await log.close();
  });

  test("a revision that goes back is refused", async () => {
    const log = openLog({ directory, fs });
    await log.open();
    await log.commit({ changes: [put(5, "a")] });
    await expect(log.commit({ changes: [put(4, "b")] })).rejects.toThrow(RangeError);
    await log.close();
  });
});

test("a process killed while it writes has lost nothing that it was told is safe", async () => {
  const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    const { openLog } = await import(${here("./log.ts")});
    const { nodeFileSystem } = await import(${here("../node-file-system.ts")});
    const log = openLog({ directory: ${JSON.stringify(directory)}, fs: nodeFileSystem, segmentBytes: 5000 });
    let { revision } = await log.open();
    const writer = async () => {
      for (;;) {
        const mine = ++revision;
        const change = { revision: mine, resource: "r", namespace: "default", name: "n" + (mine % 50), object: { mine } };
        await log.commit({ changes: [change] });
        process.stdout.write(mine + "\\n");
      }
    };
    await Promise.all([writer(), writer(), writer()]);
  `;
  for (let time = 0; time < 3; time += 1) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let told = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      told = Math.max(told, ...text.trim().split("\n").map(Number));
      if (told > (time + 1) * 300) child.kill("SIGKILL");
    });
    await ended;
    expect((await reopened()).revision).toBeGreaterThanOrEqual(told);
    expect(told).toBeGreaterThan(time * 300);
  }
});

test("snapshots bound what is kept and read", async () => {
  // In memory: on a disk that has much to do commits go on for long beside a snapshot.
  const disk = crashFileSystem();
  const log = openLog({ directory, fs: disk, segmentBytes: 2_000 });
  await log.open();
  for (let revision = 1; revision <= 300; revision += 1) {
    await log.commit({
      changes: [put(revision, `p${revision % 5}`)],
      files: [{ path: "f.yaml", text: `${revision}` }],
    });
  }
  await log.close();
  const names = (await disk.names(directory)) ?? [];
  const sizes = await Promise.all(
    names.map(async (name) => (await disk.stat(join(directory, name)))?.size ?? 0),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(12_000);
  const state = seen(await openLog({ directory, fs: disk }).open());
  expect(state.revision).toBe(300);
  expect(Object.keys(state.objects)).toEqual(["p0", "p1", "p2", "p3", "p4"]);
  expect(state.files).toEqual({ "f.yaml": "300" });
});

test("a failed write is final: nothing is taken any more", async () => {
  const disk = crashFileSystem();
  const log = openLog({ directory: "/log", fs: disk });
  await log.open();
  disk.crashAfter(0);
  await expect(log.commit({ changes: [put(1, "a")] })).rejects.toBeInstanceOf(CrashError);
  disk.crashAfter(1000);
  await expect(log.commit({ changes: [put(2, "b")] })).rejects.toBeInstanceOf(CrashError);
});

describe("a crash at any step", () => {
  const operation = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    remove: fc.boolean(),
    text: fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
    /** Whether this commit is awaited before the next is made. */
    wait: fc.boolean(),
  });

  test("leaves a prefix of the commits that holds every acknowledged one, whatever the disk makes of it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 25 }),
        fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (operations, crashes, seed) => {
          const random = seeded(seed);
          let disk = crashFileSystem();
          /** The state after each transaction ever sent, by how many were sent; `sure` of them were acknowledged. */
          let states = [seen({ revision: 0, objects: [], files: [] })];
          let sure = 0;
          for (const crash of crashes) {
            disk.crashAfter(crash);
            const log = openLog({ directory: "/log", fs: disk, segmentBytes: 600 });
            try {
              const found = seen(await log.open());
              const index = states.findIndex(
                (state, at) => at >= sure && JSON.stringify(state) === JSON.stringify(found),
              );
              expect(index, `found ${JSON.stringify(found)}`).toBeGreaterThanOrEqual(0);
              states = [found];
              sure = 0;
              const commits: Promise<unknown>[] = [];
              for (const { name, remove: gone, text, wait } of operations) {
                const before = states.at(-1) ?? found;
                const revision = before.revision + 1;
                const transaction = {
                  changes: [gone ? remove(revision, name) : put(revision, name)],
                  files: [{ path: name, text }],
                };
                states.push(after(before, transaction));
                const at = states.length - 1;
                const commit = log.commit(transaction).then(() => {
                  sure = Math.max(sure, at);
                });
                commits.push(commit);
                if (wait) await commit;
                else commit.catch(() => {});
              }
              await Promise.all(commits);
              await log.close();
            } catch (error) {
              if (!(error instanceof CrashError)) throw error;
              await log.close().catch(() => {});
            }
            disk = disk.afterCrash(random);
          }
          const found = seen(await openLog({ directory: "/log", fs: disk }).open());
          expect(states.slice(sure)).toContainEqual(found);
        },
      ),
      { numRuns: 300 },
    );
  });

  function after(
    before: ReturnType<typeof seen>,
    { changes, files = [] }: Transaction,
  ): ReturnType<typeof seen> {
    const objects = new Map<string, KubeObject | undefined>(Object.entries(before.objects));
    for (const { name, object } of changes)
      object === undefined ? objects.delete(name) : objects.set(name, object);
    const texts = new Map<string, string | undefined>(Object.entries(before.files));
    for (const { path, text } of files) text === undefined ? texts.delete(path) : texts.set(path, text);
    return seen({
      revision: changes.at(-1)?.revision ?? before.revision,
      objects: [...objects].map(([name, object]) => ({ ...put(1, name), object })),
      files: [...texts].map(([path, text]) => ({ path, text })),
    });
  }
});
