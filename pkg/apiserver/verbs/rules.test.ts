/** CEL rules as clients meet them: with the definition, with an object, with a rule that came later. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const boats = "/apis/port.example/v1/boats";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

function send(method: string, path: string, body: object): Promise<HttpAnswer> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return call(server.socketPath, {
    method,
    path,
    headers: { "content-type": type },
    body: JSON.stringify(body),
  });
}

function spec(rules: readonly object[]) {
  const mast = { type: "integer", "x-kubernetes-validations": rules };
  const properties = { spec: { type: "object", properties: { mast, name: { type: "string" } } } };
  return {
    group: "port.example",
    scope: "Cluster",
    names: { plural: "boats", kind: "Boat" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties } },
      },
    ],
  };
}

function define(rules: readonly object[]): Promise<HttpAnswer> {
  return send("POST", definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: spec(rules),
  });
}

function boat(mast: number) {
  return {
    apiVersion: "port.example/v1",
    kind: "Boat",
    metadata: { name: "a" },
    spec: { mast, name: "Nixe" },
  };
}

test("a rule that came later binds what changes, and warns of what does not", async () => {
  expect((await define([{ rule: "self > 0" }])).code).toBe(201);
  await expect.poll(async () => (await send("POST", boats, boat(3))).code).toBe(201);

  const rule = { rule: "self <= 2", messageExpression: "'a mast of %d m is too high'.format([self])" };
  expect((await send("PATCH", `${definitions}/boats.port.example`, { spec: spec([rule]) })).code).toBe(200);
  const why = "spec.mast: Invalid value: 3: a mast of 3 m is too high";
  const rename = () => send("PATCH", `${boats}/a`, { spec: { name: "Nymphe" } });
  await expect.poll(async () => (await rename()).headers.warning).toBe(`299 - "${why}"`);
  expect((await rename()).code).toBe(200);

  const raised = await send("PATCH", `${boats}/a`, { spec: { mast: 4 } });
  expect(raised.headers.warning).toBeUndefined();
  expect(JSON.parse(raised.text)).toMatchObject({
    code: 422,
    message: 'Boat.port.example "a" is invalid: spec.mast: Invalid value: 4: a mast of 4 m is too high',
  });
  expect((await send("PATCH", `${boats}/a`, { spec: { mast: 2 } })).headers.warning).toBeUndefined();
});

test("a rule of the change is asked even when nothing changes", async () => {
  expect((await define([{ rule: "self > oldSelf", message: "must grow" }])).code).toBe(201);
  await expect.poll(async () => (await send("POST", boats, boat(3))).code).toBe(201);
  const answer = await send("PATCH", `${boats}/a`, { spec: { mast: 3 } });
  expect(JSON.parse(answer.text).message).toBe(
    'Boat.port.example "a" is invalid: spec.mast: Invalid value: 3: must grow',
  );
});

test("a definition is refused for each of its bad rules", async () => {
  const answer = JSON.parse((await define([{ rule: "self.size > 0" }, { rule: "self" }])).text);
  const at = "spec.validation.openAPIV3Schema.properties[spec].properties[mast].x-kubernetes-validations";
  expect(answer.message).toContain(
    `${at}[1].rule: Invalid value: {"Rule":"self","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool`,
  );
  const causes = answer.details.causes as { field: string; message: string }[];
  expect(causes.map(({ field }) => field)).toEqual([0, 1].map((i) => `${at}[${i}].rule`));
});
