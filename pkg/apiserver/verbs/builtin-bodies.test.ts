/** Bodies that only kinds of Kubernetes' own take: protobuf and strategic merge patches. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lease } from "../../registry/typed/kinds/coordination.ts";
import { deleteOptions } from "../../registry/typed/kinds/meta.ts";
import { writeProtobufBody } from "../../registry/typed/testing/write-protobuf.ts";
import { call, type HttpAnswer } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const strategic = "application/strategic-merge-patch+json";
const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const widgets = "/apis/test.example/v1/namespaces/default/widgets";

describe("bodies of built-in kinds", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.close());
  const send = (method: string, path: string, type: string, body: string | Buffer): Promise<HttpAnswer> =>
    call(server.socketPath, { method, path, headers: { "content-type": type }, body });

  const newLease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "l", creationTimestamp: null },
    spec: { holderIdentity: "me", leaseDurationSeconds: 15, renewTime: "2020-01-01T00:00:01.500000Z" },
  };

  test("may be protobuf, and are answered in JSON", async () => {
    const created = await send("POST", leases, protobuf, writeProtobufBody(lease, newLease));
    expect(created.code).toBe(201);
    const { metadata, spec } = JSON.parse(created.text);
    expect(spec).toEqual(newLease.spec);
    const renewed = {
      ...newLease,
      metadata: { ...metadata, managedFields: undefined },
      spec: { holderIdentity: "you" },
    };
    const updated = await send("PUT", `${leases}/l`, protobuf, writeProtobufBody(lease, renewed));
    expect([updated.code, JSON.parse(updated.text).spec]).toEqual([200, { holderIdentity: "you" }]);
    const options = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: "another" } };
    const refused = await send("DELETE", `${leases}/l`, protobuf, writeProtobufBody(deleteOptions, options));
    expect(refused.code).toBe(409);
  });

  test.each([
    ["", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (<empty>)"],
    ["6b38730012ff01", "unexpected EOF (6b38730012ff01)"],
  ])("that are the bytes %j are no protobuf", async (hex, why) => {
    const answer = await send("POST", leases, protobuf, Buffer.from(hex, "hex"));
    expect([answer.code, JSON.parse(answer.text).message]).toEqual([
      400,
      `the object provided is unrecognized (must be of type Lease): ${why}`,
    ]);
  });

  test("whose message is broken are told by what their envelope says", async () => {
    const body = Buffer.from(
      "6b3873000a1f0a16636f6f7264696e6174696f6e2e6b38732e696f2f763112054c656173651202ff01",
      "hex",
    );
    const answer = await send("POST", leases, protobuf, body);
    expect([answer.code, JSON.parse(answer.text).message]).toEqual([
      400,
      'Lease in version "v1" cannot be handled as a Lease: proto: illegal wireType 7',
    ]);
  });

  test("merge their lists by key", async () => {
    const path = "/api/v1/namespaces/default";
    const owners = [{ apiVersion: "v1", kind: "K", name: "o", uid: "1" }];
    const first = { metadata: { labels: { a: "1" }, ownerReferences: owners } };
    expect((await send("PATCH", path, strategic, JSON.stringify(first))).code).toBe(200);
    const second = {
      metadata: {
        labels: { a: null, b: "2" },
        ownerReferences: [
          { ...owners[0], uid: "2" },
          { $patch: "delete", uid: "1" },
        ],
      },
    };
    const answer = await send("PATCH", path, strategic, JSON.stringify(second));
    expect(JSON.parse(answer.text).metadata).toMatchObject({
      labels: { b: "2", "kubernetes.io/metadata.name": "default" },
      ownerReferences: [{ uid: "2" }],
    });
  });

  test("that are patches Kubernetes does not understand are refused", async () => {
    const answer = await send("PATCH", "/api/v1/namespaces/default", strategic, '{"spec":{"$patch":"turn"}}');
    expect([answer.code, JSON.parse(answer.text).message]).toEqual([
      500,
      "unknown patch type: turn in map: map[$patch:turn]",
    ]);
    const list = await send("PATCH", "/api/v1/namespaces/default", strategic, "[]");
    expect(list.code).toBe(400);
  });

  test.each([
    [{ leaseDurationSeconds: "x" }, "map[spec:map[leaseDurationSeconds:x]]", "unrecognized type: int32"],
    [
      { leaseDurationSeconds: 1.5 },
      "map[spec:map[leaseDurationSeconds:1.5]]",
      "cannot convert float64 to int32",
    ],
    [{ holderIdentity: 1 }, "map[spec:map[holderIdentity:1]]", "cannot convert int64 to string"],
    [[], "map[spec:[]]", "cannot restore struct from: slice"],
    [
      { renewTime: "soon" },
      "map[spec:map[renewTime:soon]]",
      'parsing time "soon" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "soon" as "2006"',
    ],
  ])("that merge %j into a Lease are told with the patch", async (spec, patch, why) => {
    await send("POST", leases, "application/json", JSON.stringify(newLease));
    const answer = await send("PATCH", `${leases}/l`, strategic, JSON.stringify({ spec }));
    expect([answer.code, JSON.parse(answer.text).message]).toEqual([
      422,
      ` "" is invalid: patch: Invalid value: "${patch}": ${why}`,
    ]);
  });

  test("are not taken for custom resources", async () => {
    await send(
      "POST",
      widgets,
      "application/json",
      '{"apiVersion":"test.example/v1","kind":"Widget","metadata":{"name":"a"}}',
    );
    const patched = await send("PATCH", `${widgets}/a`, strategic, "{}");
    expect([patched.code, JSON.parse(patched.text).message]).toEqual([
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    ]);
    expect((await send("POST", widgets, protobuf, Buffer.from("6b387300", "hex"))).code).toBe(415);
  });
});

describe("paths of built-in kinds", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.close());
  const missing = "the server could not find the requested resource";
  const refused = "the server does not allow this method on the requested resource";

  test.each([
    ["GET", "/api/v1/pods", 404, missing],
    ["GET", `${leases}/l/status`, 404, missing],
    ["GET", `${leases}/l/more`, 404, missing],
    ["POST", `${leases}/l`, 405, refused],
    ["PUT", leases, 405, refused],
    ["HEAD", leases, 405, undefined],
    ["POST", "/apis/coordination.k8s.io/v1/leases", 405, refused],
    ["DELETE", "/api/v1/namespaces", 405, refused],
    ["DELETE", "/api/v1/namespaces/default/status", 405, refused],
    ["GET", "/api/v1/namespaces/default/finalize", 405, refused],
    ["GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 405, refused],
  ])("%s %s is answered %i, as where there is no route", async (method, path, code, message) => {
    const answer = await call(server.socketPath, { method, path });
    expect(answer.code).toBe(code);
    if (message !== undefined) expect(JSON.parse(answer.text)).toMatchObject({ message, details: {} });
  });

  test("an unknown kind of a custom group is no JSON", async () => {
    const answer = await call(server.socketPath, { path: "/apis/test.example/v1/boats" });
    expect([answer.code, answer.text]).toEqual([404, "404 page not found\n"]);
  });
});
