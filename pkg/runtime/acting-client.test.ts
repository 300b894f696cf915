import { expect, test } from "vitest";
import { actingClient } from "./acting-client.ts";
import type { Client } from "./client.ts";

const key = { namespace: "default", name: "p1" };
const object = { metadata: key } as never;

test("who may not act reads and watches as ever, and no write of its own is sent", async () => {
  const sent: string[] = [];
  const note = (name: string) => async () => {
    sent.push(name);
  };
  const writes = ["create", "update", "updateStatus", "patch", "delete"];
  const beneath = Object.fromEntries([...writes, "get", "list", "watch"].map((name) => [name, note(name)]));
  let mayAct = false;
  const client = actingClient(beneath as unknown as Client, () => mayAct);
  const write = [
    () => client.create("Project", object),
    () => client.update("Project", object),
    () => client.updateStatus("Project", object),
    () => client.patch("Project", key, {}),
    () => client.delete("Project", key),
  ];
  for (const attempt of write) await expect(attempt()).rejects.toMatchObject({ reason: "NotLeading" });
  await client.get("Project", key);
  await client.list("Project");
  expect(sent).toEqual(["get", "list"]);
  mayAct = true;
  for (const attempt of write) await attempt();
  expect(sent).toEqual(["get", "list", ...writes]);
});
