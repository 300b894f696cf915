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

test("a client of one namespace lists and watches nothing of others", async () => {
  const { registry, settle } = await openTestRegistry();
  const client = registryClient(registry, "tests", { namespace: "default" });
  const { metadata } = await client.list("Event");
  const seen: string[] = [];
  const controller = new AbortController();
  const done = (async () => {
    for await (const event of client.watch("Event", { ...metadata, signal: controller.signal })) {
      if (event.type !== "BOOKMARK") seen.push(event.object.metadata.namespace ?? "");
    }
  })();
  for (const namespace of ["kube-public", "default"]) {
    const involvedObject = { apiVersion: "v1", kind: "Namespace", name: namespace, namespace };
    const event = { apiVersion: "v1", kind: "Event", metadata: { name: "e", namespace }, involvedObject };
    await client.create("Event", event as never);
  }
  await settle();
  controller.abort();
  await done;
  expect(seen).toEqual(["default"]);
  expect((await client.list("Event")).items).toHaveLength(1);
  expect((await client.list("Event", { namespace: "kube-public" })).items).toHaveLength(1);
});
