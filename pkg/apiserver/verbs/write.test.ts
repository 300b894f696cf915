import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readJson } from "../../encoding/json.ts";
import { MemoryStorage } from "../../storage/memory.ts";
import { call, events, type HttpAnswer, type HttpRequest, open } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const collection = "/apis/test.example/v1/namespaces/default/widgets";
const head = '"apiVersion":"test.example/v1","kind":"Widget"';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

function send(request: HttpRequest): Promise<HttpAnswer> {
  return call(server.socketPath, request);
}

function post(body: string | Buffer, { path = collection, type = "application/json" } = {}) {
  return send({ method: "POST", path, headers: { "content-type": type }, body });
}

function patch(name: string, body: unknown, { type = "merge-patch+json", query = "" } = {}) {
  const headers = { "content-type": `application/${type}` };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return send({ method: "PATCH", path: `${collection}/${name}${query}`, headers, body: text });
}

function warningsOf({ headers }: HttpAnswer): string[] {
  const text = String(headers.warning ?? "");
  return text === "" ? [] : text.split(/, (?=299 - )/).map((each) => each.replace(/^299 - "|"$/g, ""));
}

describe("bodies", () => {
  test("YAML is read in kubectl's dialect", async () => {
    const yaml =
      'apiVersion: test.example/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n  size: 0x10\n  note: "on"\n';
    const answer = await post(yaml, { type: "application/yaml" });
    expect(answer.code).toBe(201);
    expect(JSON.parse(answer.text).spec).toMatchObject({ size: 16, note: "on" });
  });

  test("integers of 64 bits come back exactly, whatever way they take", async () => {
    const storage = new MemoryStorage();
    const first = await startTestServer({ storage });
    const request = (options: HttpRequest) => call(first.socketPath, options);
    const watching = await open(first.socketPath, { path: `${collection}?watch=true` });
    const spec =
      '"spec":{"low":9007199254740993,"high":9223372036854775807,"free":{"x":-9223372036854775808}}';
    const created = await request({
      method: "POST",
      path: collection,
      headers: { "content-type": "application/json" },
      body: `{${head},"metadata":{"name":"a"},${spec}}`,
    });
    const wanted = { low: 9007199254740993n, high: 2n ** 63n - 1n, free: { x: -(2n ** 63n) } };
    const specOf = (text: string) => (readJson(text.trim()) as { spec: unknown }).spec;
    expect(specOf(created.text)).toMatchObject(wanted);
    expect(specOf((await request({ path: `${collection}/a` })).text)).toMatchObject(wanted);
    expect((await request({ path: collection })).text).toContain('"low":9007199254740993');
    const patched = await request({
      method: "PATCH",
      path: `${collection}/a`,
      headers: { "content-type": "application/merge-patch+json" },
      body: '{"spec":{"low":9007199254740995}}',
    });
    expect(specOf(patched.text)).toMatchObject({ ...wanted, low: 9007199254740995n });
    for await (const chunk of watching) {
      expect(String(chunk)).toContain("9007199254740993");
      break;
    }
    await first.close();

    const second = await startTestServer({ storage });
    const after = await call(second.socketPath, { path: `${collection}/a` });
    expect(specOf(after.text)).toMatchObject({ ...wanted, low: 9007199254740995n });
    await second.close();
  });

  test("rules see integers of 64 bits exactly", async () => {
    const refused = await post(
      `{${head},"metadata":{"name":"a"},"spec":{"low":9007199254740993,"high":9007199254740992}}`,
    );
    expect(refused.code).toBe(422);
    expect(refused.text).toContain("low may not exceed high");
  });

  test("bytes that are no UTF-8 become the replacement character", async () => {
    const body = Buffer.concat([
      Buffer.from(`{${head},"metadata":{"name":"a"},"spec":{"note":"x`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('y"}}'),
    ]);
    const answer = await post(body);
    expect(answer.code).toBe(201);
    expect(JSON.parse(answer.text).spec.note).toBe("x\ufffd\ufffdy");
  });

  test.each([
    ["application/json", `{"a":${"[".repeat(100_000)}`],
    ["application/json", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["application/yaml", `a: ${"[".repeat(100_000)}`],
  ])("a nesting without end in %s is refused", async (type, body) => {
    const answer = await post(body, { type });
    expect(answer.code).toBe(400);
  });

  test("a __proto__ key changes nothing but is told", async () => {
    const body = `{${head},"metadata":{"name":"a","__proto__":{"x":1}},"__proto__":{"polluted":true},"spec":{"__proto__":{"size":7}}}`;
    const answer = await post(body);
    expect(answer.code).toBe(201);
    expect(JSON.parse(answer.text).spec.size).toBe(5);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("a body that says no kind is shown as it came", async () => {
    const answer = await post('{"metadata":  {}}');
    expect(JSON.parse(answer.text).message).toBe(
      "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{\"metadata\":  {}}' ({\"metadata\":  {}})",
    );
  });
});

describe("field validation", () => {
  const body = `{${head},"metadata":{"name":"a","nope":1},"spec":{"size":1,"size":2,"bogus":1,"parts":[{"name":"p","q":1}]},"top":1}`;
  const found = [
    'duplicate field "spec.size"',
    'unknown field "metadata.nope"',
    'unknown field "spec.bogus"',
    'unknown field "spec.parts[0].q"',
    'unknown field "top"',
  ];

  test("by default each fault is a warning, in order", async () => {
    const answer = await post(body);
    expect(answer.code).toBe(201);
    expect(warningsOf(answer)).toEqual(found.map((text) => text.replaceAll('"', '\\"')));
  });

  test("Strict refuses with all of them", async () => {
    const answer = await post(body, { path: `${collection}?fieldValidation=Strict` });
    expect(answer.code).toBe(400);
    expect(JSON.parse(answer.text).message).toBe(
      `Widget in version "v1" cannot be handled as a Widget: strict decoding error: ${found.join(", ")}`,
    );
  });

  test("Ignore says nothing", async () => {
    const answer = await post(body, { path: `${collection}?fieldValidation=Ignore` });
    expect(answer.code).toBe(201);
    expect(warningsOf(answer)).toEqual([]);
  });

  test("YAML's equal keys are told by line", async () => {
    const yaml =
      "apiVersion: test.example/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n  size: 1\n  size: 2\n";
    const type = "application/yaml";
    const strict = await post(yaml, { type, path: `${collection}?fieldValidation=Strict` });
    expect(JSON.parse(strict.text).message).toContain(
      'strict decoding error: yaml: unmarshal errors:\n  line 6: key "size" already set in map',
    );
    expect(warningsOf(await post(yaml, { type }))).toEqual(['line 6: key \\"size\\" already set in map']);
  });

  test("a patch is refused with its result", async () => {
    await post(`{${head},"metadata":{"name":"a"}}`);
    const answer = await patch("a", '{"spec":{"bogus":1,"bogus":2}}', { query: "?fieldValidation=Strict" });
    expect(answer.code).toBe(422);
    const { message, details } = JSON.parse(answer.text);
    expect(message).toMatch(/^ "" is invalid: patch: Invalid value: "\{.*\}": strict decoding error: /);
    expect(message).toContain('duplicate field "spec.bogus", unknown field "spec.bogus"');
    expect(details).toEqual({ causes: [expect.objectContaining({ field: "patch" })] });
  });

  test("a JSON patch is warned of fields that no operation has", async () => {
    await post(`{${head},"metadata":{"name":"a"}}`);
    const operations = [{ op: "replace", path: "/spec/size", value: 7, why: "x" }];
    const answer = await patch("a", operations, { type: "json-patch+json" });
    expect(answer.code).toBe(200);
    expect(warningsOf(answer)).toEqual(['json patch unknown field \\"[0].why\\"']);
  });

  test("many long warnings are cut, and no text comes twice", async () => {
    const long = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`.padStart(400, "x"), 1]));
    const answer = await post(`{${head},"metadata":{"name":"a"},"spec":${JSON.stringify(long)}}`);
    expect(answer.code).toBe(201);
    const texts = warningsOf(answer);
    expect(texts).toHaveLength(16);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(270);
  });
});

describe("creating", () => {
  test("a name is generated again while it is taken", async () => {
    const names = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const answer = await post(`{${head},"metadata":{"generateName":"w-"}}`);
      expect(answer.code).toBe(201);
      names.add(JSON.parse(answer.text).metadata.name);
    }
    expect(names.size).toBe(20);
  });

  test("what a name was made of may be changed and taken off", async () => {
    await post(`{${head},"metadata":{"name":"a","generateName":"w-"}}`);
    const made = async (generateName: string | null) => {
      const body = JSON.stringify({ metadata: { generateName } });
      const headers = { "content-type": "application/merge-patch+json" };
      const answer = await send({ method: "PATCH", path: `${collection}/a`, headers, body });
      const { metadata } = JSON.parse(answer.text);
      return [metadata.generateName, JSON.stringify(metadata.managedFields).includes("f:generateName")];
    };
    expect(await made("x-")).toEqual(["x-", true]);
    expect(await made(null)).toEqual([undefined, false]);
  });

  test("a name that cannot be made is told so", async () => {
    const constant = await startTestServer({ random: { next: () => 0 } });
    const request = { method: "POST", path: collection, headers: { "content-type": "application/json" } };
    const body = `{${head},"metadata":{"generateName":"w-"}}`;
    expect((await call(constant.socketPath, { ...request, body })).code).toBe(201);
    const answer = await call(constant.socketPath, { ...request, body });
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message:
        'widgets.test.example "w-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { retryAfterSeconds: 1 },
    });
    await constant.close();
  });

  test.each([
    ["5", 500],
    ["0", 201],
    ["abc", 201],
  ])("a resourceVersion of %s is answered with %i", async (resourceVersion, code) => {
    const metadata = JSON.stringify({ name: "a", resourceVersion });
    const answer = await post(`{${head},"metadata":${metadata}}`);
    expect(answer.code).toBe(code);
    if (code === 201) expect(JSON.parse(answer.text).metadata.resourceVersion).toMatch(/^\d+$/);
  });

  test("over an object that is being deleted", async () => {
    await post(`{${head},"metadata":{"name":"a","finalizers":["e.x/f"]}}`);
    await send({ method: "DELETE", path: `${collection}/a` });
    const answer = await post(`{${head},"metadata":{"name":"a"}}`);
    expect(JSON.parse(answer.text).message).toBe(
      'object is being deleted: widgets.test.example "a" already exists',
    );
  });

  test("owners named twice are taken once, with a warning", async () => {
    const owner = { apiVersion: "v1", kind: "Node", name: "n", uid: "u" };
    const metadata = JSON.stringify({ name: "a", ownerReferences: [owner, owner] });
    const answer = await post(`{${head},"metadata":${metadata}}`);
    expect(JSON.parse(answer.text).metadata.ownerReferences).toEqual([owner]);
    expect(warningsOf(answer)).toEqual([
      expect.stringMatching(/^\.metadata\.ownerReferences contains duplicate entries; .* observed: u$/),
    ]);
  });
});

describe("dry runs", () => {
  const revisionOf = (answer: HttpAnswer) => JSON.parse(answer.text).metadata.resourceVersion;

  test("change nothing and answer with the revision that there is", async () => {
    const created = await post(`{${head},"metadata":{"name":"a","finalizers":["e.x/f"]}}`);
    const revision = revisionOf(created);
    const before = server.registry.revision;
    expect(
      revisionOf(await post(`{${head},"metadata":{"name":"b"}}`, { path: `${collection}?dryRun=All` })),
    ).toBe(undefined);
    const patched = await patch("a", { spec: { size: 9 } }, { query: "?dryRun=All" });
    expect(JSON.parse(patched.text).spec.size).toBe(9);
    expect(revisionOf(patched)).toBe(revision);
    const deleted = await send({ method: "DELETE", path: `${collection}/a?dryRun=All` });
    expect(JSON.parse(deleted.text).metadata.deletionTimestamp).toBeDefined();
    expect(revisionOf(deleted)).toBe(revision);
    const all = await send({ method: "DELETE", path: `${collection}?dryRun=All` });
    expect(JSON.parse(all.text).items).toHaveLength(1);
    expect(server.registry.revision).toBe(before);
  });
});

describe("patches", () => {
  beforeEach(async () => {
    await post(`{${head},"metadata":{"name":"a"}}`);
  });

  test("a JSON patch of too many operations is too large", async () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "Widget" }));
    const answer = await patch("a", operations, { type: "json-patch+json" });
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 413,
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
  });

  test("force is for server-side apply alone", async () => {
    const answer = await patch("a", {}, { query: "?force=true" });
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 422,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    });
  });

  test("a wrong uid in the status is passed over, as all metadata there", async () => {
    const body = JSON.stringify({ metadata: { uid: "other", labels: { a: "b" } }, status: { replicas: 1 } });
    const answer = await patch("a/status", body);
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.text).metadata.labels).toBeUndefined();
  });

  test("a result of the wrong type is shown", async () => {
    const answer = await patch("a", { metadata: { labels: { a: 1 } } });
    expect(answer.code).toBe(422);
    expect(JSON.parse(answer.text).message).toMatch(
      /^ "" is invalid: patch: Invalid value: .*: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string$/,
    );
  });
});

describe("deleting", () => {
  test("the body's options count where there is a body, else the query's", async () => {
    await post(`{${head},"metadata":{"name":"a"}}`);
    const request = { method: "DELETE", path: `${collection}/a?propagationPolicy=Sideways` };
    expect((await send(request)).code).toBe(422);
    const headers = { "content-type": "application/json" };
    const body = '{"propagationPolicy":"Orphan","dryRun":["All"]}';
    const answer = await send({ ...request, headers, body });
    expect(JSON.parse(answer.text).metadata.finalizers).toEqual(["orphan"]);
    const yaml = { "content-type": "application/yaml" };
    expect((await send({ ...request, headers: yaml, body: "propagationPolicy: Background" })).code).toBe(200);
  });

  test.each(["v1", "meta.k8s.io/v1", "test.example/v1", "apps/v1", ""])(
    "options may be of version '%s': typed clients send that of the kind",
    async (apiVersion) => {
      await post(`{${head},"metadata":{"name":"a"}}`);
      const body = JSON.stringify({ kind: "DeleteOptions", apiVersion, propagationPolicy: "Orphan" });
      const headers = { "content-type": "application/json" };
      const answer = await send({ method: "DELETE", path: `${collection}/a`, headers, body });
      expect(JSON.parse(answer.text).metadata.finalizers).toEqual(["orphan"]);
    },
  );

  test("who asks in the old way hears that it is not over", async () => {
    await post(`{${head},"metadata":{"name":"a","finalizers":["e.x/f"]}}`);
    const answer = await send({ method: "DELETE", path: `${collection}/a?orphanDependents=false` });
    expect(answer.code).toBe(202);
  });

  test.each([
    [
      '{"gracePeriodSeconds":"x"}',
      "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
    ],
    [
      '{"kind":"Widget","apiVersion":"test.example/v1"}',
      /^no kind "Widget" is registered for version "test.example\/v1"/,
    ],
    ["[]", /^couldn't get version\/kind; json parse error: json: cannot unmarshal array into Go value/],
    ["{", "couldn't get version/kind; json parse error: unexpected end of JSON input"],
  ])("a body of %s is refused", async (body, message) => {
    const headers = { "content-type": "application/json" };
    const answer = await send({ method: "DELETE", path: `${collection}/a`, headers, body });
    expect(answer.code).toBe(400);
    expect(JSON.parse(answer.text).message).toMatch(message);
  });

  test("a collection goes by page and selector, and is answered as it was", async () => {
    for (const name of ["a", "b", "c"]) {
      await post(`{${head},"metadata":{"name":"${name}","labels":{"in":"${name === "b" ? "no" : "yes"}"}}}`);
    }
    const first = await send({ method: "DELETE", path: `${collection}?labelSelector=in%3Dyes&limit=1` });
    const page = JSON.parse(first.text);
    expect(page.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["a"]);
    expect(page.kind).toBe("WidgetList");
    await send({ method: "DELETE", path: `${collection}?labelSelector=in%3Dyes` });
    const left = JSON.parse((await send({ path: collection })).text);
    expect(left.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["b"]);
  });

  test("watchers see each object of a collection go", async () => {
    for (const name of ["a", "b"]) await post(`{${head},"metadata":{"name":"${name}"}}`);
    const watching = await open(server.socketPath, {
      path: `${collection}?watch=true&resourceVersion=${server.registry.revision}`,
    });
    await send({ method: "DELETE", path: collection });
    const seen: string[] = [];
    for await (const { type, object } of events(watching)) {
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(["DELETED a", "DELETED b"]);
  });
});

describe("scale", () => {
  beforeEach(async () => {
    await post(`{${head},"metadata":{"name":"a"}}`);
  });
  const put = (body: object) =>
    send({
      method: "PUT",
      path: `${collection}/a/scale`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  test("a Scale needs no resourceVersion, and a wrong one is a conflict", async () => {
    const scale = {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "a" },
      spec: { replicas: 3 },
    };
    const answer = await put(scale);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: "Scale", spec: { replicas: 3 } });
    const stale = await put({ ...scale, metadata: { name: "a", resourceVersion: "1" } });
    expect(stale.code).toBe(409);
  });

  test.each([
    [
      { kind: "Widget", apiVersion: "test.example/v1", metadata: { name: "a" } },
      /^Widget in version "v1" cannot be handled as a Scale: no kind/,
    ],
    [{ metadata: { name: "b" } }, "the name of the object (b) does not match the name on the URL (a)"],
    [
      { metadata: { name: "a" }, spec: { replicas: "x" } },
      /cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32$/,
    ],
  ])("%j is refused", async (body, message) => {
    const answer = await put(body);
    expect(answer.code).toBe(400);
    expect(JSON.parse(answer.text).message).toMatch(message);
  });
});
