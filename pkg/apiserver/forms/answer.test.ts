import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestClock } from "../../runtime/testing/clock.ts";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const collection = "/apis/test.example/v1/namespaces/default/widgets";
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const partialList = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

describe("an answer", () => {
  let server: TestServer;
  beforeEach(async () => {
    const clock = new TestClock("2026-01-02T03:04:05Z");
    server = await startTestServer({ clock });
    for (const name of ["a", "b"]) {
      await server.registry.create("test.example/widgets", "default", {
        apiVersion: "test.example/v1",
        kind: "Widget",
        metadata: { name },
      });
    }
    await clock.advance(61_000);
  });
  afterEach(() => server.close());
  const get = (path: string, accept: string): Promise<HttpAnswer> =>
    call(server.socketPath, { path, headers: { accept } });

  test("as a Table has a row for each object, with its metadata beside the cells", async () => {
    const answer = JSON.parse((await get(collection, table)).text);
    expect(answer).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: server.registry.revision },
      columnDefinitions: [
        { name: "Name", type: "string", format: "name" },
        { name: "Age", type: "date", format: "", priority: 0 },
      ],
      rows: [
        { cells: ["a", "61s"], object: { kind: "PartialObjectMetadata", metadata: { name: "a" } } },
        { cells: ["b", "61s"] },
      ],
    });
  });

  test("as a Table of the older version says so in each row too", async () => {
    const answer = JSON.parse((await get(`${collection}/a`, table.replace("v=v1", "v=v1beta1"))).text);
    expect(answer).toMatchObject({
      apiVersion: "meta.k8s.io/v1beta1",
      rows: [{ object: { apiVersion: "meta.k8s.io/v1beta1" } }],
    });
  });

  test.each([
    ["None", null],
    ["Object", expect.objectContaining({ kind: "Widget" })],
  ])("as a Table holds with includeObject=%s what was asked for", async (include, want) => {
    const answer = JSON.parse((await get(`${collection}/a?includeObject=${include}`, table)).text);
    expect(answer.rows[0].object).toEqual(want);
  });

  test("for a Scale has columns of its own", async () => {
    const answer = JSON.parse((await get(`${collection}/a/scale`, table)).text);
    expect(answer.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      "Name",
      "Desired",
      "Available",
      "Age",
    ]);
    expect(answer.rows[0].cells).toEqual(["a", 1, 0, "61s"]);
  });

  test("as metadata alone is a list of it for a list, and nothing for the wrong one", async () => {
    const list = JSON.parse((await get(collection, partialList)).text);
    expect(list).toMatchObject({
      kind: "PartialObjectMetadataList",
      items: [{ kind: "PartialObjectMetadata", metadata: { name: "a" } }, {}],
    });
    expect(list.items[0]).not.toHaveProperty("spec");
    expect((await get(`${collection}/a`, partialList)).code).toBe(500);
    expect((await get(collection, partialList.replace("List;", ";"))).code).toBe(406);
  });

  test("in YAML says the same", async () => {
    const json = JSON.parse((await get(`${collection}/a`, "application/json")).text);
    const yaml = await get(`${collection}/a`, "application/yaml");
    expect(yaml.headers["content-type"]).toBe("application/yaml");
    expect(yaml.text).toContain(`uid: ${json.metadata.uid}`);
    const missing = await get(`${collection}/none`, "application/yaml");
    expect(missing).toMatchObject({ code: 404, text: expect.stringContaining("reason: NotFound") });
  });

  test("is indented for people, and ends in one newline for programs", async () => {
    const pretty = await get(`${collection}/a?pretty=true`, "application/json");
    expect(pretty.text).toContain('\n  "kind": "Widget"');
    expect((await get(`${collection}/a`, "application/json")).text).toMatch(/^\{"apiVersion".*\}\n$/);
  });

  test("to HEAD is the headers alone", async () => {
    const head = await call(server.socketPath, { method: "HEAD", path: `${collection}/a` });
    expect(head).toMatchObject({ code: 200, text: "", headers: { "content-type": "application/json" } });
  });

  test("of Kubernetes' own kinds leaves out of list items what they are", async () => {
    const list = JSON.parse((await get("/api/v1/namespaces", "application/json")).text);
    expect(list).toMatchObject({ kind: "NamespaceList", apiVersion: "v1" });
    expect(list.items[0]).not.toHaveProperty("kind");
    const widgets = JSON.parse((await get(collection, "application/json")).text);
    expect(widgets.items[0]).toMatchObject({ kind: "Widget" });
  });
});
