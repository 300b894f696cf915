import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientContract } from "../../test/contracts/client.contract.ts";
import { HeldStorage } from "../registry/testing/held-storage.ts";
import { call, events, type HttpAnswer, type HttpRequest, httpClient, open } from "./testing/http-client.ts";
import { startTestServer, type TestServer } from "./testing/server.ts";

clientContract("A client of the API server over a unix socket", async () => {
  const server = await startTestServer();
  return {
    client: httpClient(server.socketPath, server.registry.definitions()),
    close: () => server.close(),
  };
});

describe("the API server", () => {
  const collection = "/apis/test.example/v1/namespaces/default/widgets";
  const widget = { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "a" } };
  const json = { "content-type": "application/json" };
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(async () => {
    expect(server.errors).toEqual([]);
    await server.close();
  });
  const send = (request: HttpRequest): Promise<HttpAnswer> => call(server.socketPath, request);
  const post = (path: string, body: unknown): Promise<HttpAnswer> =>
    send({ method: "POST", path, headers: json, body: JSON.stringify(body) });

  describe("discovery", () => {
    test("names groups, versions and resources with their subresources", async () => {
      const groups = JSON.parse((await send({ path: "/apis" })).text);
      expect(groups.groups.map((group: { name: string }) => group.name)).toEqual([
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "apiextensions.k8s.io",
        "coordination.k8s.io",
        "test.example",
      ]);
      expect(JSON.parse((await send({ path: "/api" })).text).versions).toEqual(["v1"]);
      const { resources } = JSON.parse((await send({ path: "/apis/test.example/v1" })).text);
      expect(resources.map((resource: { name: string }) => resource.name)).toEqual([
        "gizmos",
        "widgets",
        "widgets/scale",
        "widgets/status",
      ]);
      expect(resources[1]).toEqual({
        name: "widgets",
        singularName: "widget",
        namespaced: true,
        kind: "Widget",
        verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
        shortNames: ["wd"],
        storageVersionHash: "ivEM3TTdEas=",
      });
      const core = JSON.parse((await send({ path: "/api/v1" })).text);
      expect(core.resources.map((resource: { name: string }) => resource.name)).toEqual([
        "events",
        "namespaces",
        "namespaces/finalize",
        "namespaces/status",
      ]);
    });

    test("tells all in one document to clients that accept it, and nothing to one that has it", async () => {
      const accept =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
      const answer = await send({ path: "/apis", headers: { accept } });
      expect(answer.headers).toMatchObject({
        "content-type": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        vary: "Accept",
      });
      const { apiVersion, items } = JSON.parse(answer.text);
      expect(apiVersion).toBe("apidiscovery.k8s.io/v2");
      expect(items.at(-1).versions[0].resources[1]).toMatchObject({
        resource: "widgets",
        responseKind: { group: "test.example", version: "v1", kind: "Widget" },
        scope: "Namespaced",
        subresources: [
          { subresource: "scale", responseKind: { group: "autoscaling", kind: "Scale" } },
          { subresource: "status", responseKind: { group: "test.example", kind: "Widget" } },
        ],
      });
      const { etag = "" } = answer.headers;
      const again = await send({ path: "/apis", headers: { accept, "if-none-match": etag } });
      expect(again).toMatchObject({ code: 304, text: "" });

      const old = accept.replace("v=v2;", "v=v2beta1;");
      const beta = await send({ path: "/api", headers: { accept: old } });
      expect(beta.headers["content-type"]).toContain("v=v2beta1");
      expect(JSON.parse(beta.text)).toMatchObject({
        apiVersion: "apidiscovery.k8s.io/v2beta1",
        items: [{ versions: [{ version: "v1" }] }],
      });
    });

    test("says at the root which paths there are", async () => {
      const { paths } = JSON.parse((await send({ path: "/" })).text);
      expect(paths).toContain("/apis/test.example/v1");
      for (const path of paths) expect((await send({ path })).code).toBe(200);
    });

    test.each([
      "/none",
      "/apis/none.example",
      "/apis/test.example/v9",
      `${collection.replace("widgets", "doodads")}`,
      "/%zz",
    ])("%s is a plain 404", async (path) => {
      expect(await send({ path })).toMatchObject({ code: 404, text: "404 page not found\n" });
    });

    test.each([`${collection}/a/none`, `${collection}/a/none/more`])(
      "%s has no such object",
      async (path) => {
        const { code, text } = await send({ path });
        expect([code, JSON.parse(text).message]).toEqual([404, 'widgets.test.example "a" not found']);
      },
    );

    test("health and version answer without a resource", async () => {
      expect(await send({ path: "/healthz" })).toMatchObject({ code: 200, text: "ok" });
      expect(JSON.parse((await send({ path: "/version" })).text).gitVersion).toMatch(/^v\d+\.\d+\.\d+/);
    });
  });

  test("health says so when the storage failed", async () => {
    const storage = new HeldStorage();
    const failing = await startTestServer({ storage });
    try {
      storage.hold();
      const write = failing.registry.create("test.example/widgets", "default", widget);
      storage.fail(new Error("EIO"));
      await expect(write).rejects.toMatchObject({ code: 500 });
      const health = await call(failing.socketPath, { path: "/healthz" });
      expect(health).toMatchObject({ code: 500, text: expect.stringContaining("[-]storage failed") });
      const why = await call(failing.socketPath, { path: "/healthz/storage" });
      expect(why).toMatchObject({ code: 500, text: expect.stringContaining("the storage failed") });
    } finally {
      await failing.close();
    }
  });

  test("a client that leaves while it sends is nobody's error, and disturbs no other", async () => {
    const left = request({
      socketPath: server.socketPath,
      method: "POST",
      path: collection,
      headers: { ...json, "content-length": 1000 },
    });
    left.on("error", () => {});
    await new Promise<void>((resolve) => left.write('{"kind":', () => resolve()));
    left.destroy();
    expect((await send({ path: "/healthz" })).code).toBe(200);
  });

  describe("refusals", () => {
    test.each<{
      name: string;
      request: HttpRequest;
      want: { code: number; reason?: string; message: string };
    }>([
      {
        name: "a body of an unknown type",
        request: {
          method: "POST",
          path: collection,
          headers: { "content-type": "text/plain" },
          body: "a: b",
        },
        want: {
          code: 415,
          reason: "UnsupportedMediaType",
          message:
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        },
      },
      {
        name: "a patch of a kind that is not supported",
        request: { method: "PATCH", path: `${collection}/a`, headers: json, body: "{}" },
        want: {
          code: 415,
          reason: "UnsupportedMediaType",
          message:
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        },
      },
      {
        name: "an answer in a form that is not offered",
        request: { path: collection, headers: { accept: "application/json;as=Chart;v=v1;g=meta.k8s.io" } },
        want: {
          code: 406,
          reason: "NotAcceptable",
          message:
            "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        },
      },
      {
        name: "a broken body",
        request: { method: "POST", path: collection, headers: json, body: "{" },
        want: {
          code: 400,
          reason: "BadRequest",
          message: expect.stringContaining("couldn't get version/kind; json parse error:"),
        },
      },
      {
        name: "a time that is no number, though a list takes none",
        request: { path: `${collection}?timeoutSeconds=x` },
        want: { code: 400, reason: "BadRequest", message: 'strconv.ParseInt: parsing "x": invalid syntax' },
      },
      {
        name: "a field that cannot be selected by",
        request: { path: `${collection}?fieldSelector=spec.note%3Dred` },
        want: { code: 400, reason: "BadRequest", message: "field label not supported: spec.note" },
      },
      {
        name: "a label selector that is none",
        request: { path: `${collection}?labelSelector=app%20in%20x` },
        want: {
          code: 400,
          reason: "BadRequest",
          message: "unable to parse requirement: found 'x' expected: '('",
        },
      },
      {
        name: "a verb that is not served",
        request: { method: "DELETE", path: `${collection}/a/status` },
        want: {
          code: 405,
          reason: "MethodNotAllowed",
          message: 'delete is not supported on resources of kind "widgets.test.example"',
        },
      },
      {
        name: "a subresource that the kind does not have",
        request: { path: `${collection.replace("widgets", "gizmos")}/a/status` },
        want: { code: 404, reason: "NotFound", message: 'gizmos.test.example "a" not found' },
      },
      {
        name: "a revision that was never given",
        request: { path: `${collection}?resourceVersion=999999` },
        want: {
          code: 504,
          reason: "Timeout",
          message: expect.stringMatching(/^Timeout: Too large resource version: 999999, current: \d+$/),
        },
      },
      {
        name: "a dry run of an unknown sort",
        request: {
          method: "POST",
          path: `${collection}?dryRun=Some`,
          headers: json,
          body: JSON.stringify(widget),
        },
        want: {
          code: 422,
          reason: "Invalid",
          message:
            'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
        },
      },
      {
        name: "a deletion in an order that there is not",
        request: { method: "DELETE", path: `${collection}/a?propagationPolicy=Sideways` },
        want: {
          code: 422,
          reason: "Invalid",
          message: expect.stringContaining('propagationPolicy: Unsupported value: "Sideways"'),
        },
      },
    ])("$name is refused with $want.code", async ({ request, want }) => {
      const answer = await send(request);
      expect(answer.code).toBe(want.code);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(JSON.parse(answer.text)).toMatchObject({
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        ...want,
      });
    });

    test.each([
      { code: 404, path: "/apis/test.example/v1/namespaces/default/unknowns", type: "application/json" },
      { code: 415, path: collection, type: "text/plain" },
    ])(
      "a body that has no end is refused with $code, and its sender cut off: it was read for ever",
      async ({ code, path, type }) => {
        const socket = connect(server.socketPath);
        let answers = "";
        socket.setEncoding("utf8").on("data", (text: string) => {
          answers += text;
        });
        socket.on("error", () => {
          // It is cut off while it sends.
        });
        const closed = new Promise((resolve) => socket.once("close", resolve));
        const begin = (bytes: number): void => {
          const headers = `host: api\r\ncontent-type: ${type}\r\ncontent-length: ${bytes}\r\n\r\n`;
          socket.write(`POST ${path} HTTP/1.1\r\n${headers}`);
        };
        // One that ends is read to its end, and the next request answered.
        begin(1e6);
        socket.write(" ".repeat(1e6));
        begin(1e12);
        const goOn = (): void => {
          while (socket.writable && socket.write(" ".repeat(65_536)));
        };
        socket.on("drain", goOn);
        goOn();
        await closed;
        expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(Array(2).fill(`HTTP/1.1 ${code}`));
      },
    );

    test("a body beyond 3 MiB is refused with 413, said beforehand or not", async () => {
      const body = JSON.stringify({ ...widget, spec: { free: { text: "x".repeat(3 * 1024 * 1024) } } });
      const told = await send({ method: "POST", path: collection, headers: json, body });
      expect(told.code).toBe(413);
      expect(JSON.parse(told.text)).toMatchObject({ reason: "RequestEntityTooLarge" });
      const chunked = { ...json, "transfer-encoding": "chunked" };
      const untold = await send({ method: "POST", path: collection, headers: chunked, body });
      expect(untold.code).toBe(413);
      expect((await server.registry.list("test.example/widgets")).items).toEqual([]);
    });
  });

  describe("unknown fields", () => {
    const bogus = { ...widget, spec: { bogus: 1 } };

    test("are dropped with a warning, unless asked otherwise", async () => {
      const warned = await post(collection, bogus);
      expect(warned.code).toBe(201);
      expect(warned.headers.warning).toBe('299 - "unknown field \\"spec.bogus\\""');
      const ignored = await post(`${collection}?fieldValidation=Ignore`, {
        ...bogus,
        metadata: { name: "b" },
      });
      expect(ignored).toMatchObject({
        code: 201,
        headers: expect.not.objectContaining({ warning: expect.anything() }),
      });
    });

    test("are refused in strict mode", async () => {
      const refused = await post(`${collection}?fieldValidation=Strict`, bogus);
      expect(refused.code).toBe(400);
      expect(JSON.parse(refused.text).message).toBe(
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.bogus"',
      );
    });
  });

  describe("deletion", () => {
    test("answers Success with the uid when the object is gone, the object when finalizers keep it", async () => {
      const created = JSON.parse((await post(collection, widget)).text);
      const gone = JSON.parse((await send({ method: "DELETE", path: `${collection}/a` })).text);
      const details = { name: "a", group: "test.example", kind: "widgets", uid: created.metadata.uid };
      expect(gone).toEqual({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details });

      await post(collection, { ...widget, metadata: { name: "b", finalizers: ["test.example/hold"] } });
      const kept = JSON.parse((await send({ method: "DELETE", path: `${collection}/b` })).text);
      expect(kept).toMatchObject({ kind: "Widget", metadata: { deletionGracePeriodSeconds: 0 } });
    });

    test("options may leave out their kind, as kubectl's do; another kind is refused", async () => {
      await post(collection, widget);
      const withBody = (body: object) =>
        send({ method: "DELETE", path: `${collection}/a`, headers: json, body: JSON.stringify(body) });
      expect((await withBody(widget)).code).toBe(400);
      expect((await withBody({ propagationPolicy: "Background" })).code).toBe(200);
    });

    test("a dry run, asked for in the body, deletes nothing", async () => {
      await post(collection, widget);
      const body = JSON.stringify({ kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] });
      await send({ method: "DELETE", path: `${collection}/a`, headers: json, body });
      expect((await send({ path: `${collection}/a` })).code).toBe(200);
    });
  });

  test("a JSON patch is applied, and one that does not apply is Invalid", async () => {
    await post(collection, widget);
    const headers = { "content-type": "application/json-patch+json" };
    const patch = (operations: unknown) =>
      send({ method: "PATCH", path: `${collection}/a`, headers, body: JSON.stringify(operations) });
    const applied = await patch([{ op: "replace", path: "/spec/size", value: 7 }]);
    expect(JSON.parse(applied.text).spec.size).toBe(7);
    const failed = await patch([{ op: "test", path: "/spec/size", value: 8 }]);
    expect(JSON.parse(failed.text)).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("a Scale can be read and written", async () => {
    await post(collection, widget);
    const scale = JSON.parse((await send({ path: `${collection}/a/scale` })).text);
    expect(scale).toMatchObject({ apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 1 } });
    const body = JSON.stringify({ ...scale, spec: { replicas: 4 } });
    const written = await send({ method: "PUT", path: `${collection}/a/scale`, headers: json, body });
    expect(JSON.parse(written.text).spec).toEqual({ replicas: 4 });
  });

  describe("a watch", () => {
    test("has its headers at once, before there is an event", async () => {
      const { revision } = server.registry;
      const response = await open(server.socketPath, {
        path: `${collection}?watch=1&resourceVersion=${revision}`,
      });
      expect(response.statusCode).toBe(200);
      expect(response.headers["content-type"]).toBe("application/json");
      response.destroy();
    });

    test("without a revision begins with what exists, and a bookmark where they are allowed", async () => {
      await post(collection, widget);
      const path = `${collection}?watch=true&allowWatchBookmarks=true`;
      const response = await open(server.socketPath, { path });
      const seen: unknown[] = [];
      for await (const event of events(response)) {
        seen.push([event.type, event.object.metadata.name ?? event.object.metadata.annotations]);
        if (event.type === "BOOKMARK") await post(collection, { ...widget, metadata: { name: "b" } });
        if (seen.length === 3) break;
      }
      expect(seen).toEqual([
        ["ADDED", "a"],
        ["BOOKMARK", { "k8s.io/initial-events-end": "true" }],
        ["ADDED", "b"],
      ]);
    });

    test("from too old a revision is a 200 with an ERROR event, and ends", async () => {
      const small = await startTestServer({ historyLimit: 1 });
      try {
        const { revision, ...rest } = { revision: small.registry.revision, registry: small.registry };
        for (let i = 0; i < 5; i++) {
          const named = { ...widget, metadata: { name: `w${i}` } };
          await rest.registry.create("test.example/widgets", "default", named);
        }
        // The history is cut in the turn in which watchers are told.
        await new Promise((resolve) => setImmediate(resolve));
        const path = `${collection}?watch=true&resourceVersion=${revision}`;
        const answer = await call(small.socketPath, { path });
        expect(answer.code).toBe(200);
        expect(JSON.parse(answer.text)).toMatchObject({
          type: "ERROR",
          object: { code: 410, reason: "Expired" },
        });
      } finally {
        await small.close();
      }
    });

    test("ends after timeoutSeconds", async () => {
      const { revision } = server.registry;
      const path = `${collection}?watch=true&resourceVersion=${revision}&timeoutSeconds=1`;
      expect(await call(server.socketPath, { path })).toMatchObject({ code: 200, text: "" });
    });
  });
});
