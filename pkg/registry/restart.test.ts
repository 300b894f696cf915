import { expect, test } from "vitest";
import { openLog } from "../storage/log/log.ts";
import type { nodeFileSystem } from "../storage/node-file-system.ts";
import type { Storage } from "../storage/storage.ts";
import { crashFileSystem } from "../storage/testing/crash-file-system.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";

/** One life of a server on a disk that outlives it. */
async function life(fs: typeof nodeFileSystem): Promise<{ registry: Registry; storage: Storage }> {
  return await openTestRegistry({ storage: openLog({ directory: "/log", fs }), defer: setImmediate });
}

async function events(registry: Registry, resourceVersion: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of registry.watch(widgets, { resourceVersion })) {
    if (event.type === "BOOKMARK") continue;
    const { name, resourceVersion: revision } = event.object.metadata;
    seen.push(`${event.type} ${name} ${(event.object.spec as { size: number }).size} ${revision}`);
    if (seen.length === count) break;
  }
  return seen;
}

function widget(name: string, size: number): object {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name }, spec: { size } };
}

test("a watch goes on after a restart from where it was, without missing what happened before", async () => {
  const fs = crashFileSystem();
  const first = await life(fs);
  const { metadata } = await first.registry.list(widgets);
  await first.registry.create(widgets, "default", widget("a", 1));
  await first.registry.patch(
    widgets,
    { namespace: "default", name: "a" },
    { type: "merge", body: { spec: { size: 2 } } },
  );
  await first.registry.create(widgets, "default", widget("b", 3));
  await first.registry.delete(widgets, { namespace: "default", name: "a" });
  const before = await events(first.registry, metadata.resourceVersion, 4);
  await first.storage.close();

  const { registry } = await life(fs);
  await registry.create(widgets, "default", widget("c", 4));

  expect(await events(registry, metadata.resourceVersion, 5)).toEqual([
    ...before,
    `ADDED c 4 ${Number(metadata.resourceVersion) + 5}`,
  ]);
  expect(before.map((line) => line.replace(/ \d+$/, ""))).toEqual([
    "ADDED a 1",
    "MODIFIED a 2",
    "ADDED b 3",
    "DELETED a 2",
  ]);
});

test("a watch from before all that the log still tells is too old after a restart", async () => {
  const fs = crashFileSystem();
  const first = await life(fs);
  const { metadata } = await first.registry.list(widgets);
  await first.registry.create(widgets, "default", widget("a", 1));
  const key = { namespace: "default", name: "a" };
  await Promise.all(
    Array.from({ length: 4_200 }, (_, i) =>
      first.registry.patch(widgets, key, { type: "merge", body: { spec: { size: (i % 99) + 2 } } }),
    ),
  );
  await first.storage.close();

  const { registry } = await life(fs);
  await expect(events(registry, metadata.resourceVersion, 1)).rejects.toMatchObject({ code: 410 });
  // To the change: what is told begins with the very next one, or is refused.
  const told = 4_096;
  const oldest = Number(registry.revision) - told;
  expect(await events(registry, String(oldest), told)).toHaveLength(told);
  for (const before of [1, 2])
    await expect(events(registry, String(oldest - before), 1)).rejects.toMatchObject({ code: 410 });
});
