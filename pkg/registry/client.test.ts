import { expect, test } from "vitest";
import { clientContract } from "../../test/contracts/client.contract.ts";
import type { Client } from "../runtime/client.ts";
import { registryClient } from "./client.ts";
import { openTestRegistry } from "./testing/registry.ts";

clientContract("The registry's own client on memory storage", async () => {
  const { registry, storage } = await openTestRegistry({ defer: setImmediate });
  return { client: registryClient(registry, "tests"), close: () => storage.close() };
});

// Over HTTP an answer and an event travel on two connections; in one process their order is a promise.
test("a watch event comes in a later turn than the answer to its write", async () => {
  const { registry, settle } = await openTestRegistry();
  const client: Client = registryClient(registry, "tests");
  const { metadata } = await client.list("Event");
  const seen: string[] = [];
  const controller = new AbortController();
  const done = (async () => {
    for await (const event of client.watch("Event", { ...metadata, signal: controller.signal }))
      seen.push(event.type);
  })();
  const event = { apiVersion: "v1", kind: "Event", metadata: { name: "e", namespace: "default" } };
  await client.create("Event", event as never);
  expect(seen).toEqual([]);
  await settle();
  expect(seen).toEqual(["ADDED"]);
  controller.abort();
  await done;
});

test("a kind that is not served is the caller's mistake, and is named", async () => {
  const { registry } = await openTestRegistry();
  const client = registryClient(registry, "tests");
  await expect(client.list("Project")).rejects.toThrow(
    "The registry serves no kind Project. Is its CRD loaded?",
  );
});
