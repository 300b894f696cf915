/** Kinds that come and go while the server runs, as its clients see them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const json = { "content-type": "application/json" };

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());
const send = (method: string, path: string, body?: object): Promise<HttpAnswer> =>
  call(server.socketPath, {
    method,
    path,
    headers: json,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object" } } } };

test("a kind that is defined is found, warned of where it is deprecated, and gone when it is undefined", async () => {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: {
      group: "port.example",
      scope: "Cluster",
      names: { plural: "boats", kind: "Boat" },
      versions: [
        { name: "v1", served: true, storage: true, schema },
        { name: "v1alpha1", served: true, storage: false, deprecated: true, schema },
      ],
    },
  };
  expect((await send("GET", "/apis/port.example/v1/boats")).code).toBe(404);
  expect((await send("POST", definitions, definition)).code).toBe(201);
  await expect.poll(async () => (await send("GET", "/apis/port.example/v1/boats")).code).toBe(200);
  const groups = JSON.parse((await send("GET", "/apis/port.example")).text);
  expect(groups.preferredVersion.version).toBe("v1");

  const boat = { apiVersion: "port.example/v1alpha1", kind: "Boat", metadata: { name: "a" }, bogus: 1 };
  const created = await send("POST", "/apis/port.example/v1alpha1/boats", boat);
  expect([created.code, created.headers.warning]).toEqual([
    201,
    '299 - "port.example/v1alpha1 Boat is deprecated", 299 - "unknown field \\"bogus\\""',
  ]);
  const seen = JSON.parse((await send("GET", "/apis/port.example/v1/boats/a")).text);
  expect(seen.apiVersion).toBe("port.example/v1");

  const deleted = await send("DELETE", `${definitions}/boats.port.example`);
  expect(JSON.parse(deleted.text).status.conditions.at(-1)).toMatchObject({
    type: "Terminating",
    status: "True",
  });
  await expect.poll(async () => (await send("GET", "/apis/port.example")).code).toBe(404);
  expect((await send("GET", `${definitions}/boats.port.example`)).code).toBe(404);
});

test("an object of another version is read as that version has it before it is refused", async () => {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: {
      group: "port.example",
      scope: "Cluster",
      names: { plural: "boats", kind: "Boat" },
      versions: [
        { name: "v1", served: true, storage: true, schema },
        { name: "v0", served: false, storage: false, schema },
      ],
    },
  };
  await send("POST", definitions, definition);
  const post = async (version: string): Promise<unknown[]> => {
    const boat = { apiVersion: `port.example/${version}`, kind: "Boat", metadata: { name: "a" }, spec: {} };
    const { code, headers } = await send("POST", "/apis/port.example/v1/boats", { ...boat, bogus: 1 });
    return [code, headers.warning];
  };
  await expect.poll(() => post("v1")).toEqual([201, '299 - "unknown field \\"bogus\\""']);
  expect(await post("v0")).toEqual([400, '299 - "unknown field \\"bogus\\""']);
  expect(await post("v9")).toEqual([
    400,
    '299 - "unknown field \\"bogus\\"", 299 - "unknown field \\"spec\\""',
  ]);
});

test("a definition that is wrong is refused with each fault", async () => {
  const answer = await send("POST", definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: {
      group: "port.example",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { a: {}, b: { type: "array" } } } },
        },
      ],
    },
  });
  expect(answer.code).toBe(422);
  expect(JSON.parse(answer.text).details).toEqual({
    name: "boats.port.example",
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    causes: [
      {
        reason: "FieldValueRequired",
        message: "Required value: must not be empty for specified object fields",
        field: "spec.validation.openAPIV3Schema.properties[a].type",
      },
      {
        reason: "FieldValueRequired",
        message: "Required value: must be specified",
        field: "spec.validation.openAPIV3Schema.properties[b].items",
      },
    ],
  });
});
