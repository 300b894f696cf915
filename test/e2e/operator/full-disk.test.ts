/** A full disk does not end the night: the operator waits for room, and goes on by itself. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { runIn } from "../../../cmd/bosun/testing/operator.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { accountsOf, discrepancies } from "../accounts.ts";
import { scratch } from "./scratch.ts";
import { diskOf, needSmallDisks, onDiskOf, onSmallDisk, type SmallDisk } from "./small-disk.ts";

const steady = { description: "[test: steady]", tasks: 2 };

test("an operator whose disk is full says so and holds the workspace; once there is room everything goes on, and nothing is lost", async (context) => {
  needSmallDisks(context);
  const notify = { command: "cat >> ../told" };
  const here = scratch({ projects: { one: steady }, workspace: { notify } });
  const operator = here.rehearseBy(onSmallDisk(here, 80));
  const disk = diskOf(operator.pid, here);
  const phase = (wanted: string) =>
    here.until(`one ${wanted}`, async () => {
      const asked = disk.client.get("Project", { namespace: "default", name: "one" });
      // Nobody listens while it waits and starts again.
      return (await asked.catch(() => undefined))?.status?.phase === wanted;
    });
  await phase("Working");

  disk.fill();
  const acknowledged = await writeUntilRefused(disk);
  await here.until("a wait", () => operator.output().includes("waits and spends nothing"));
  const told = path.join(here.repository, "..", "told");
  await here.until(
    "a person who is told",
    () => existsSync(told) && readFileSync(told, "utf8").endsWith("\n"),
  );
  expect(JSON.parse(readFileSync(told, "utf8"))).toMatchObject({
    type: "FullDisk",
    object: { kind: "Workspace", name: "scratch" },
    message: expect.stringMatching(/^The disk of .* is full: .* once there is room for 32 MB there\.$/),
  });
  const status = await runIn(disk.workspace.repository, ["status"]);
  expect(status.notes.join()).toMatch(/is full: 0\.?\d* MB are free\. The operator \(process \d+\) waits/);
  const second = here.rehearseBy(onDiskOf(operator.pid, here));
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`already runs here (process ${operator.pid})`);

  disk.free();
  await phase("Done");
  const events = (await disk.client.list("Event", { namespace: "default" })).items;
  expect(events.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(acknowledged));
  // What the played model wrote down of its requests was on the full disk too.
  const wrong = discrepancies(accountsOf(disk.workspace));
  expect(wrong.filter((line) => !line.startsWith("The upstream never counted"))).toEqual([]);
  await operator.end();
  expect(await here.left()).toEqual([]);
});

/** Names of what was acknowledged until then. */
async function writeUntilRefused({ client }: SmallDisk): Promise<string[]> {
  const acknowledged: string[] = [];
  for (;;) {
    const metadata = { name: `written-${acknowledged.length}`, namespace: "default" };
    const involvedObject = { kind: "Workspace", name: "scratch", namespace: "default" };
    const event: KubeObject & object = { apiVersion: "v1", kind: "Event", metadata };
    try {
      await client.create("Event", { ...event, involvedObject, message: "x".repeat(500) } as never);
    } catch {
      // As the disk takes no more, the operator has ended.
      return acknowledged;
    }
    acknowledged.push(metadata.name);
  }
}
