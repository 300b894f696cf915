import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const collection = "/apis/test.example/v1/namespaces/default/widgets";
const head = "apiVersion: test.example/v1\nkind: Widget\n";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

function apply(body: string, query = "?fieldManager=m", path = `${collection}/a`): Promise<HttpAnswer> {
  const headers = { "content-type": "application/apply-patch+yaml" };
  return call(server.socketPath, { method: "PATCH", path: `${path}${query}`, headers, body });
}

function write(
  method: string,
  body: unknown,
  { headers = {}, query = "" }: { headers?: Record<string, string>; query?: string } = {},
): Promise<HttpAnswer> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const path = method === "POST" ? collection : `${collection}/a`;
  return call(server.socketPath, {
    method,
    path: `${path}${query}`,
    headers: { "content-type": type, ...headers },
    body: JSON.stringify(body),
  });
}

const widget = { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "a" }, spec: { size: 7 } };

function managers({ text }: HttpAnswer): (string | undefined)[] {
  return ((JSON.parse(text) as KubeObject).metadata.managedFields ?? []).map(
    ({ manager, operation }) => `${manager} ${operation}`,
  );
}

describe("an apply", () => {
  test("makes an object (201), then changes it (200), from YAML or JSON", async () => {
    const created = await apply(`${head}metadata: {name: a}\nspec: {size: 7}\n`);
    expect(created.code).toBe(201);
    expect(managers(created)).toEqual(["m Apply"]);
    const changed = await apply(JSON.stringify({ ...widget, spec: { size: 8 } }));
    expect(changed.code).toBe(200);
    expect(JSON.parse(changed.text)).toMatchObject({ metadata: { generation: 2 }, spec: { size: 8 } });
  });

  test("that only tries makes nothing, and has no revision", async () => {
    const tried = await apply(`${head}metadata: {name: a}\n`, "?fieldManager=m&dryRun=All");
    expect(tried.code).toBe(201);
    expect(JSON.parse(tried.text).metadata.resourceVersion).toBeUndefined();
    expect((await call(server.socketPath, { path: `${collection}/a` })).code).toBe(404);
  });

  test("conflicts (409) with each field's owner, unless it forces", async () => {
    await write("POST", widget, { query: "?fieldManager=up" });
    const refused = await apply(`${head}spec: {size: 8}\n`);
    expect(JSON.parse(refused.text)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      code: 409,
      reason: "Conflict",
      message: 'Apply failed with 1 conflict: conflict with "up" using test.example/v1: .spec.size',
      details: {
        causes: [
          {
            reason: "FieldManagerConflict",
            message: 'conflict with "up" using test.example/v1',
            field: ".spec.size",
          },
        ],
      },
    });
    expect((await apply(`${head}spec: {size: 8}\n`, "?fieldManager=m&force=true")).code).toBe(200);
  });

  test.each([
    [
      "no manager",
      `${head}`,
      "",
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    [
      "a manager of unprintable letters",
      head,
      "?fieldManager=a%07",
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\u0007": invalid character U+0007 (at position 1)',
    ],
    [
      "a manager of a long name",
      head,
      `?fieldManager=${"x".repeat(129)}`,
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    ],
    [
      "a list",
      "[1]",
      "?fieldManager=m",
      400,
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    ["nothing", "", "?fieldManager=m", 400, "invalid object type: , Kind="],
  ])("of %s is refused", async (_what, body, query, code, message) => {
    const answer = await apply(body, query);
    expect(answer.code).toBe(code);
    expect(JSON.parse(answer.text).message).toBe(message);
  });

  test("with keys that come twice is refused when strict, else warned of", async () => {
    const body = `${head}metadata: {name: a}\nspec:\n  size: 7\n  size: 8\n`;
    const strict = await apply(body, "?fieldManager=m&fieldValidation=Strict");
    expect(JSON.parse(strict.text)).toMatchObject({
      code: 400,
      message:
        'error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key "size" already set in map',
    });
    const warned = await apply(body);
    expect(warned.code).toBe(201);
    expect(warned.headers.warning).toBe('299 - "line 6: key \\"size\\" already set in map"');
  });
});

describe("a writer is known", () => {
  test("by the name that it gives", async () => {
    const options = { query: "?fieldManager=named", headers: { "user-agent": "agent/1.0" } };
    expect(managers(await write("POST", widget, options))).toEqual(["named Update"]);
  });

  test("else by what its User-Agent begins with, without what cannot be printed", async () => {
    const created = await write("POST", widget, {
      headers: { "user-agent": "ku\u00a0be ctl/v1.36 (linux)" },
    });
    expect(managers(created)).toEqual(["kube ctl Update"]);
    const changed = await write("PATCH", { spec: { size: 8 } }, { headers: { "user-agent": "/nothing" } });
    expect(managers(changed)).toContain("unknown Update");
  });

  test("and keeps what it owns through a PUT that says nothing of owners", async () => {
    const created = JSON.parse(
      (await write("POST", widget, { query: "?fieldManager=one" })).text,
    ) as KubeObject;
    const { managedFields: _managedFields, ...metadata } = created.metadata;
    const put = await write("PUT", { ...created, metadata }, { query: "?fieldManager=two" });
    expect(JSON.parse(put.text)).toEqual(created);
  });
});
