import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

describe("OpenAPI v3", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.close());
  const get = (path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    call(server.socketPath, { path, headers });

  test("says where the document of each group and version is; by its hash it may be kept for good", async () => {
    const { paths } = JSON.parse((await get("/openapi/v3")).text);
    expect(Object.keys(paths)).toContain("api/v1");
    const url = paths["apis/test.example/v1"].serverRelativeURL;
    const document = await get(url);
    expect(document).toMatchObject({ code: 200, headers: { "cache-control": "public, immutable" } });
    const again = await get(url, { "if-none-match": document.headers.etag ?? "" });
    expect(again).toMatchObject({ code: 304, text: "" });
    const moved = await get("/openapi/v3/apis/test.example/v1?hash=OLD");
    expect(moved).toMatchObject({ code: 301, headers: { location: url } });
    expect((await get("/openapi/v3/apis/test.example/v1")).text).toBe(document.text);
    expect((await get("/openapi/v3/apis/none.example/v1")).code).toBe(404);
  });

  test("has what kubectl looks for: kinds, patches, fields to validate, and no reference to nothing", async () => {
    const document = JSON.parse((await get("/openapi/v3/apis/test.example/v1")).text);
    const collection = "/apis/test.example/v1/namespaces/{namespace}/widgets";
    const { patch } = document.paths[`${collection}/{name}`];
    expect(patch["x-kubernetes-group-version-kind"]).toEqual({
      group: "test.example",
      version: "v1",
      kind: "Widget",
    });
    expect(Object.keys(patch.requestBody.content)).toEqual([
      "application/apply-patch+yaml",
      "application/json-patch+json",
      "application/merge-patch+json",
    ]);
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual([
      "dryRun",
      "fieldManager",
      "fieldValidation",
      "force",
    ]);
    const { schemas } = document.components;
    expect(schemas["example.test.v1.Widget"]).toMatchObject({
      "x-kubernetes-group-version-kind": [{ group: "test.example", kind: "Widget", version: "v1" }],
      properties: {
        spec: { properties: { color: { type: "string", enum: ["red", "green", "blue"], default: "red" } } },
      },
    });
    const names = new Set(Object.keys(schemas));
    const wanted = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(wanted.map(([, name]) => name).filter((name) => !names.has(name as string))).toEqual([]);
  });

  test("every operation has an id of its own", async () => {
    const { paths } = JSON.parse((await get("/openapi/v3")).text);
    for (const { serverRelativeURL } of Object.values<{ serverRelativeURL: string }>(paths)) {
      const ids = [...(await get(serverRelativeURL)).text.matchAll(/"operationId":"([^"]+)"/g)].map(
        ([, id]) => id,
      );
      expect(ids.length).toBeGreaterThan(0);
      expect(ids).toEqual([...new Set(ids)]);
    }
  });

  test("Kubernetes' own kinds take strategic merge patches, custom ones don't", async () => {
    const { paths } = JSON.parse((await get("/openapi/v3/api/v1")).text);
    expect(Object.keys(paths["/api/v1/namespaces/{name}"].patch.requestBody.content)).toContain(
      "application/strategic-merge-patch+json",
    );
    expect(paths["/api/v1/namespaces/{name}/finalize"].put.operationId).toBe(
      "replaceCoreV1NamespaceFinalize",
    );
  });
});
