import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry } from "../registry/testing/registry.ts";
import { tokenAuthenticator } from "./auth/authenticate.ts";
import { type Certified, makeAuthority, makeServerCertificate } from "./certificates.ts";
import { createSecureServer, endServer } from "./secure-server.ts";
import { type Api, createApi } from "./server.ts";

const collection = "/apis/test.example/v1/namespaces/default/widgets";
const watchPath = "/apis/test.example/v1/watch/namespaces/default/widgets";
const widget = { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "a" } };
const authority = await makeAuthority(Date.now());
const certified: Certified = await makeServerCertificate(authority, ["127.0.0.1"], Date.now());

let api: Api;
let server: Server;
let port: number;
beforeEach(async () => {
  const { registry } = await openTestRegistry({ defer: setImmediate });
  api = createApi({ registry });
  const authenticate = tokenAuthenticator({ admin: "s3cret", reader: "l00k" });
  server = createSecureServer({ api, certified, authenticate, host: "127.0.0.1" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await endServer(server, 0);
});

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

function open({ method = "GET", path, token, headers = {}, body }: Request): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        ca: authority.certificate,
        agent: false,
        headers: { ...bearer, "content-type": "application/json", ...headers },
      },
      resolve,
    );
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function send(options: Request): Promise<{ code: number; text: string }> {
  const response = await open(options);
  return { code: response.statusCode ?? 0, text: await text(response) };
}

describe("who may do what", () => {
  test.each<[name: string, request: Request, code: number]>([
    ["nobody asks for objects", { path: collection }, 401],
    ["nobody asks for a path that is not there", { path: "/nowhere" }, 401],
    ["nobody asks for health", { path: "/readyz?verbose" }, 200],
    ["nobody asks for the version", { path: "/version" }, 200],
    ["nobody asks for one check", { path: "/readyz/ping" }, 401],
    ["a wrong token asks for health", { path: "/readyz", token: "wrong" }, 401],
    ["the token reads", { path: collection, token: "s3cret" }, 200],
    ["the token writes", { method: "POST", path: collection, token: "s3cret", body: widget }, 201],
    ["the read-only token reads", { path: collection, token: "l00k" }, 200],
    ["the read-only token writes", { method: "POST", path: collection, token: "l00k", body: widget }, 403],
    [
      "the read-only token deletes by an old path of watches",
      { method: "DELETE", path: `${watchPath}/a`, token: "l00k" },
      403,
    ],
    [
      "the token deletes by an old path of watches",
      { method: "DELETE", path: `${watchPath}/a`, token: "s3cret" },
      405,
    ],
    ["the read-only token collects figures", { path: "/metrics", token: "l00k" }, 200],
    [
      "a web page that knows the token reads",
      { path: collection, token: "s3cret", headers: { origin: "http://127.0.0.1:3000" } },
      403,
    ],
    ["a web page asks for health", { path: "/readyz", headers: { "sec-fetch-site": "cross-site" } }, 403],
    ["under another port", { path: "/readyz", headers: { host: "127.0.0.1:1" } }, 403],
  ])("%s", async (_, asked, code) => {
    expect((await send(asked)).code).toBe(code);
  });

  test("a refusal is a Status that kubectl prints", async () => {
    const { text } = await send({ method: "DELETE", path: `${collection}/a`, token: "l00k" });
    expect(JSON.parse(text)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        'widgets.test.example "a" is forbidden: User "bosun:reader" cannot delete resource "widgets" in API group "test.example" in the namespace "default"',
      reason: "Forbidden",
      details: { name: "a", group: "test.example", kind: "widgets" },
      code: 403,
    });
    expect(JSON.parse((await send({ path: collection })).text)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
  });
});

test("figures tell of requests, refused ones too, and of events sent to watches", async () => {
  const token = "s3cret";
  const watch = await open({ path: `${collection}?watch=true`, token });
  await send({ method: "POST", path: collection, token, body: widget });
  await once(watch, "data");
  await send({ method: "POST", path: `${collection}?dryRun=All`, token: "l00k", body: widget });
  const { text } = await send({ path: "/metrics", token });
  const of = 'group="test.example",resource="widgets",scope="namespace",subresource=""';
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      `apiserver_request_total{code="201",dry_run="",${of},verb="CREATE",version="v1"} 1`,
      `apiserver_request_total{code="403",dry_run="All",${of},verb="CREATE",version="v1"} 1`,
      'apiserver_watch_events_total{group="test.example",resource="widgets",version="v1"} 1',
      'apiserver_longrunning_requests{group="test.example",resource="widgets",scope="namespace",verb="WATCH",version="v1"} 1',
      'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
      'apiserver_resource_objects{group="test.example",resource="widgets"} 1',
      `apiserver_request_duration_seconds_count{dry_run="",${of},verb="CREATE",version="v1"} 1`,
    ]),
  );
  watch.destroy();
});

test("what nobody serves leaves no figure of its own, whoever asks for it", async () => {
  for (const path of [
    "/apis/made.up/v7/things/x",
    `${collection}/a/odd`,
    "/made/up",
    "/a:b",
    "/http://localhost/api",
  ])
    expect((await send({ path, method: "GET", token: "s3cret" })).code).toBe(404);
  await send({ path: "/apis/made.up/v8/things" });
  await send({ path: "/made/up", method: "PROPFIND" });
  const { text } = await send({ path: "/metrics", token: "s3cret" });
  expect(text).not.toMatch(/made|things|odd|a:b|propfind/i);
  expect(text).toContain('code="404"');
});

test("a server that ends is not ready, ends watches in good order and takes no more", async () => {
  const token = "s3cret";
  const watch = await open({ path: `${collection}?watch=true`, token });
  api.drain();
  const seen: string[] = [];
  for await (const chunk of watch) seen.push(String(chunk));
  // An abortion would have thrown: the answer is whole.
  expect({ seen, complete: watch.complete }).toEqual({ seen: [], complete: true });
  // One that begins only now ends at once.
  expect(await send({ path: `${collection}?watch=true`, token })).toMatchObject({ code: 200, text: "" });
  expect(await send({ path: "/readyz" })).toMatchObject({
    code: 500,
    text: expect.stringContaining("[-]shutdown failed"),
  });
  expect((await send({ path: "/livez" })).code).toBe(200);
  await endServer(server, 5_000);
  await expect(send({ path: "/livez" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a request that is not over when the server's time to end is gets no answer, and keeps it no longer", async () => {
  const { certificate: ca } = authority;
  const headers = { authorization: "Bearer s3cret", "content-length": "10" };
  const sent = request({
    host: "127.0.0.1",
    port,
    method: "POST",
    path: collection,
    ca,
    agent: false,
    headers,
  });
  const failed = once(sent, "error");
  sent.flushHeaders();
  await once(server, "request");
  await endServer(server, 10);
  expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
});
