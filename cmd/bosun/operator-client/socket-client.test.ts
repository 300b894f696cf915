import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { StatusError } from "../../../pkg/api/status-error.ts";
import { startOperator, temporaryWorkspace } from "../testing/operator.ts";
import { NoOperatorError, socketClient } from "./socket-client.ts";

const pool = {
  apiVersion: "bosun.dev/v1alpha1",
  kind: "AgentPool",
  metadata: { name: "execution" },
  spec: { role: "Execution" },
};
const key = { namespace: "default", name: "execution" };

test("it creates, gets, lists, patches and deletes as Kubernetes' protocol has it", async () => {
  await using operator = await startOperator("");
  const client = socketClient(operator.folder.socket);
  expect(await client.get("AgentPool", key)).toBeUndefined();
  expect(await client.create("AgentPool", pool as never)).toMatchObject({ spec: { replicas: 1 } });
  await client.patch("AgentPool", key, { spec: { replicas: 2 } });
  expect((await client.list("AgentPool", { namespace: "default" })).items).toMatchObject([
    { spec: { replicas: 2 } },
  ]);
  expect((await client.list("AgentPool", { labelSelector: "a=b" })).items).toEqual([]);
  await client.delete("AgentPool", key);
  expect(await client.get("AgentPool", key)).toBeUndefined();
});

test("a refusal comes back as the StatusError that the API meant", async () => {
  await using operator = await startOperator("");
  const client = socketClient(operator.folder.socket);
  await client.create("AgentPool", pool as never);
  const refused = client.patch("AgentPool", key, { spec: { replicas: 11 } });
  await expect(refused).rejects.toBeInstanceOf(StatusError);
  await expect(refused).rejects.toMatchObject({
    code: 422,
    reason: "Invalid",
    message: expect.stringContaining("spec.replicas"),
  });
  await expect(client.delete("Project", key)).rejects.toMatchObject({ code: 404 });
});

test("a watch tells of changes after a list, and ends when it is aborted", async () => {
  await using operator = await startOperator("");
  const client = socketClient(operator.folder.socket);
  const { metadata } = await client.list("AgentPool", { namespace: "default" });
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    const { resourceVersion } = metadata;
    for await (const event of client.watch("AgentPool", {
      namespace: "default",
      resourceVersion,
      signal: stop.signal,
    })) {
      seen.push(event.type);
      if (event.type === "DELETED") stop.abort();
    }
  })();
  await operator.client.create("AgentPool", pool as never);
  await operator.client.patch("AgentPool", key, { spec: { replicas: 3 } });
  await operator.client.delete("AgentPool", key);
  await watching;
  expect(seen).toEqual(["ADDED", "MODIFIED", "DELETED"]);
});

test("a watch ends with its operator", async () => {
  const operator = await startOperator("");
  const { metadata } = await operator.client.list("AgentPool", {});
  const events = socketClient(operator.folder.socket).watch("AgentPool", {
    resourceVersion: metadata.resourceVersion,
  });
  const watching = (async () => {
    const types: string[] = [];
    for await (const { type } of events) {
      types.push(type);
      await operator[Symbol.asyncDispose]();
    }
    return types;
  })();
  await operator.client.create("AgentPool", pool as never);
  expect(await watching).toEqual(["ADDED"]);
});

test("nobody at the socket, and somebody who is no API server, are told apart", async () => {
  const folder = temporaryWorkspace();
  await expect(socketClient(folder.socket).list("Project")).rejects.toBeInstanceOf(NoOperatorError);
  const server = createServer((_, response) => response.writeHead(500).end("no")).listen(folder.socket);
  await once(server, "listening");
  await expect(socketClient(folder.socket).list("Project")).rejects.toThrow("The operator answered 500: no");
  server.close();
  rmSync(folder.repository, { recursive: true });
});
