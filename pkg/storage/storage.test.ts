import { describe, expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
import { openLog } from "./log/log.ts";
import { MemoryStorage } from "./memory.ts";
import type { Change, Storage } from "./storage.ts";
import { crashFileSystem } from "./testing/crash-file-system.ts";

// One contract for every storage. `again` is the same storage after `close`.
const storages: [name: string, open: () => { storage: Storage; again: () => Storage }][] = [
  [
    "memory",
    () => {
      const storage = new MemoryStorage();
      return { storage, again: () => storage };
    },
  ],
  [
    "the log",
    () => {
      const fs = crashFileSystem();
      const log = () => openLog({ directory: "/log", fs, segmentBytes: 500 });
      return { storage: log(), again: log };
    },
  ],
];

function change(revision: number, name: string, object: object | undefined = { revision }): Change {
  return {
    revision,
    resource: "bosun.dev/projects",
    namespace: "default",
    name,
    object: object as KubeObject | undefined,
  };
}

describe.each(storages)("%s", (_name, open) => {
  test("starts empty at revision 0", async () => {
    expect(await open().storage.open()).toMatchObject({ revision: 0, objects: [], files: [] });
  });

  test("gives integers of 64 bits back exactly", async () => {
    const { storage, again } = open();
    await storage.open();
    const object = { count: 9007199254740993n, least: -(2n ** 63n), small: 5 };
    await storage.commit({ changes: [change(1, "a", object)] });
    await storage.close();
    const reopened = again();
    expect((await reopened.open()).objects).toEqual([change(1, "a", object)]);
    await reopened.close();
  });

  test("gives back what was committed, and a revision that never goes back, deletions included", async () => {
    const { storage, again } = open();
    await storage.open();
    await storage.commit({
      changes: [change(1, "a"), change(2, "b")],
      files: [{ path: "a.yaml", text: "a" }],
    });
    await storage.commit({ changes: [change(3, "a", { revision: 3 })] });
    await storage.commit({
      changes: [{ ...change(4, "b"), object: undefined }],
      files: [{ path: "a.yaml", text: undefined }],
    });
    await storage.commit({ changes: [], files: [{ path: "c.yaml", text: "" }] });
    await storage.close();
    expect(await again().open()).toMatchObject({
      revision: 4,
      objects: [change(3, "a")],
      files: [{ path: "c.yaml", text: "" }],
    });
  });

  test("what it tells of the last changes ends at the newest revision, and each follows what it replaced", async () => {
    const { storage, again } = open();
    await storage.open();
    for (const changes of [
      [change(1, "a"), change(2, "a", { revision: 2 })],
      [change(3, "b")],
      [{ ...change(4, "a"), object: undefined }],
    ])
      await storage.commit({ changes });
    await storage.close();
    const { recent = [] } = await again().open();
    const all = [
      { ...change(1, "a"), previous: undefined },
      { ...change(2, "a"), previous: { revision: 1 } },
      { ...change(3, "b"), previous: undefined },
      { ...change(4, "a", undefined), object: undefined, previous: { revision: 2 } },
    ];
    // A storage may have forgotten the older ones.
    expect(recent).toEqual(all.slice(all.length - recent.length));
  });

  test("objects of one name in two namespaces or resources are two", async () => {
    const { storage, again } = open();
    await storage.open();
    const changes = [
      change(1, "a"),
      { ...change(2, "a"), namespace: "" },
      { ...change(3, "a"), resource: "events" },
    ];
    await storage.commit({ changes });
    await storage.close();
    expect((await again().open()).objects).toHaveLength(3);
  });

  test("commits made at once resolve in the order made", async () => {
    const { storage } = open();
    await storage.open();
    const resolved: number[] = [];
    const all = [1, 2, 3, 4, 5].map((revision) =>
      storage.commit({ changes: [change(revision, "a")] }).then(() => resolved.push(revision)),
    );
    await Promise.all(all);
    expect(resolved).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes nothing once it is closed", async () => {
    const { storage } = open();
    await storage.open();
    await storage.close();
    await expect(storage.commit({ changes: [] })).rejects.toThrow();
  });
});
