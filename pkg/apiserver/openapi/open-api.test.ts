import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";
import { encodeSwagger } from "./v2/protobuf.ts";

/** The fields of a protobuf message that are messages or text, by their numbers. */
function fieldsOf(content: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = content[at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < content.length) {
    const key = varint();
    const size = varint();
    if ((key & 7) !== 2) continue;
    const number = key >>> 3;
    fields.set(number, [...(fields.get(number) ?? []), content.subarray(at, at + size)]);
    at += size;
  }
  return fields;
}

describe("OpenAPI v2", () => {
  test("says as JSON and as protobuf what kubectl up to 1.28 has to know", async () => {
    const server = await startTestServer();
    try {
      const plain = await call(server.socketPath, { path: "/openapi/v2" });
      const document = JSON.parse(plain.text);
      expect(document.definitions["example.test.v1.Widget"].properties).toMatchObject({
        metadata: { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
        spec: { properties: { port: { "x-kubernetes-int-or-string": true } } },
      });
      expect(plain.text).not.toContain("#/components/");
      const path = "/apis/test.example/v1/namespaces/{namespace}/widgets/{name}";
      expect(document.paths[path].patch).toMatchObject({
        consumes: expect.not.arrayContaining(["application/strategic-merge-patch+json"]),
        parameters: expect.arrayContaining([
          expect.objectContaining({ name: "fieldValidation", in: "query" }),
        ]),
      });

      const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
      const answer = await call(server.socketPath, { path: "/openapi/v2", headers: { accept } });
      expect(answer.headers["content-type"]).toBe(accept.replace("@", "."));
      const fields = fieldsOf(encodeSwagger(document));
      expect(fields.get(1)?.map(String)).toEqual(["2.0"]);
      const named = (field: number, within: number) =>
        fieldsOf(fields.get(field)?.[0] as Buffer)
          .get(within)
          ?.map((entry) => String(fieldsOf(entry).get(1)?.[0]));
      expect(named(8, 2)).toEqual(Object.keys(document.paths));
      expect(named(9, 1)).toEqual(Object.keys(document.definitions));
    } finally {
      await server.close();
    }
  });
});

test("a definition may hold integers beyond what a number holds", async () => {
  const server = await startTestServer();
  try {
    const wide = 2n ** 53n + 1n;
    const headers = { "content-type": "application/json" };
    const post = (path: string, body: string) =>
      call(server.socketPath, { method: "POST", path, headers, body });
    const made = await post(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"bigs.big.example"},
        "spec":{"group":"big.example","scope":"Namespaced","names":{"plural":"bigs","kind":"Big"},
        "versions":[{"name":"v1","served":true,"storage":true,
          "additionalPrinterColumns":[{"name":"N","type":"integer","jsonPath":".spec.n"}],
          "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{
            "n":{"type":"integer","format":"int64","maximum":${wide + 10n},"default":${wide}}}}}}}}]}}`,
    );
    expect(made.code).toBe(201);
    const collection = "/apis/big.example/v1/namespaces/default/bigs";
    const object = '{"apiVersion":"big.example/v1","kind":"Big","metadata":{"name":"a"},"spec":{}}';
    expect((await post(collection, object)).text).toContain(`"n":${wide}`);
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const table = await call(server.socketPath, { path: collection, headers: { accept } });
    expect(table.text).toContain(`"cells":["a",${wide}]`);
    const v3 = await call(server.socketPath, { path: "/openapi/v3/apis/big.example/v1" });
    expect(v3.text).toContain(`"default":${wide}`);
    const protobuf = { accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" };
    const v2 = await call(server.socketPath, { path: "/openapi/v2", headers: protobuf });
    expect([v2.code, v2.text.includes(String(wide))]).toEqual([200, true]);
  } finally {
    await server.close();
  }
});

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
      "x-kubernetes-selectable-fields": [
        { fieldPath: "spec.color" },
        { fieldPath: "spec.size" },
        { fieldPath: "spec.code" },
      ],
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
