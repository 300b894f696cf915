import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { type Certified, makeAuthority, makeServerCertificate } from "../apiserver/certificates.ts";
import { systemClock, systemRandom } from "../system/system.ts";
import { exchange, readJson } from "./exchange.ts";
import { readCluster } from "./kubeconfig.ts";

/** A server that tells who asks it, and refuses bearers of the token `old`. */
let server: https.Server;
let address: string;
let authority: Certified;
let folder: string;

beforeAll(async () => {
  authority = await makeAuthority(systemClock.now());
  const own = await makeServerCertificate(authority, ["127.0.0.1"], systemClock.now());
  server = https.createServer(
    { cert: own.certificate, key: own.key, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { authorization = "" } = request.headers;
      const certificate = (request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? "";
      response.writeHead(authorization === "Bearer old" ? 401 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ authorization, certificate }));
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(path.join(tmpdir(), "bosun-kubeconfig-"));
});

afterAll(async () => {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
  rmSync(folder, { recursive: true });
});

let file: string;
beforeEach(() => {
  file = path.join(folder, "config");
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Writes a kubeconfig with one context, `here`, for `user`. */
function kubeconfig(user: Record<string, unknown>, cluster: Record<string, unknown> = {}): void {
  const trusted = { server: address, "certificate-authority-data": base64(authority.certificate) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "local", cluster: { ...trusted, ...cluster } }],
    users: [{ name: "me", user }],
    contexts: [{ name: "here", context: { cluster: "local", user: "me", namespace: "crew" } }],
  };
  writeFileSync(file, stringify(config));
}

async function whoAmI(): Promise<unknown> {
  const { access } = await readCluster({ file });
  const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bosun-test" };
  const call = { method: "GET", path: "/" } as const;
  try {
    return await readJson(await exchange(deps, call), call, access);
  } finally {
    access.close();
  }
}

test("the context's server, namespace and token are used", async () => {
  kubeconfig({ token: "secret" });
  const { access, context, namespace } = await readCluster({ file });
  expect({ server: access.server, context, namespace }).toEqual({
    server: address,
    context: "here",
    namespace: "crew",
  });
  access.close();
  expect(await whoAmI()).toMatchObject({ authorization: "Bearer secret" });
});

test("a client certificate is shown to the server", async () => {
  const own = await makeAuthority(systemClock.now());
  kubeconfig({ "client-certificate-data": base64(own.certificate), "client-key-data": base64(own.key) });
  expect(await whoAmI()).toEqual({ authorization: "", certificate: "bosun-ca" });
});

test("name and password are Basic authentication", async () => {
  kubeconfig({ username: "me", password: "pass" });
  expect(await whoAmI()).toMatchObject({ authorization: `Basic ${base64("me:pass")}` });
});

test("an exec plugin is asked again when the server refuses the token it gave", async () => {
  const count = path.join(folder, "count");
  writeFileSync(count, "");
  const script = `
    const { appendFileSync, readFileSync } = require("node:fs");
    const token = readFileSync(${JSON.stringify(count)}, "utf8") === "" ? "old" : "new";
    appendFileSync(${JSON.stringify(count)}, "x");
    console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } }));
  `;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", script],
  };
  kubeconfig({ exec: { ...exec, interactiveMode: "Never" } });
  expect(await whoAmI()).toMatchObject({ authorization: "Bearer new" });
});

test("a token file is read anew when somebody replaces it, as kubectl does", async () => {
  kubeconfig({ tokenFile: "token", token: "old" });
  const { access } = await readCluster({ file });
  const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bosun-test" };
  const call = { method: "GET", path: "/" } as const;
  const ask = async () => await readJson(await exchange(deps, call), call, access);
  writeFileSync(path.join(folder, "token"), "first\n");
  expect(await ask()).toMatchObject({ authorization: "Bearer first" });
  writeFileSync(path.join(folder, "token"), "second\n");
  expect(await ask()).toMatchObject({ authorization: "Bearer second" });
  access.close();
});

test("of the files in KUBECONFIG the first that names something has the say, and one may be missing", async () => {
  kubeconfig({ token: "first" });
  const second = path.join(folder, "second");
  copyFileSync(file, second);
  kubeconfig({ token: "second" });
  vi.stubEnv("KUBECONFIG", [path.join(folder, "missing"), second, file].join(path.delimiter));
  try {
    const { access, context } = await readCluster({});
    const { headers } = await access.options();
    access.close();
    expect({ context, headers }).toEqual({ context: "here", headers: { Authorization: "Bearer first" } });
  } finally {
    vi.unstubAllEnvs();
  }
});

test("an exec plugin that fails is told with what it printed", async () => {
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath };
  kubeconfig({ exec: { ...exec, args: ["-e", "console.error('log in first'); process.exit(1)"] } });
  await expect(whoAmI()).rejects.toMatchObject({
    reason: "NoCredentials",
    message: expect.stringContaining("log in first"),
  });
});

test("a server whose certificate nobody vouches for is not asked", async () => {
  const stranger = await makeAuthority(systemClock.now());
  kubeconfig({ token: "secret" }, { "certificate-authority-data": base64(stranger.certificate) });
  await expect(whoAmI()).rejects.toMatchObject({ reason: "Unreachable" });
});

test.each([
  {
    what: "a file that is not there",
    choice: { file: "/nowhere/config" },
    says: "/nowhere/config can't be used: ENOENT",
  },
  {
    what: "a context that is not there",
    choice: { context: "prod" },
    says: 'no usable context "prod". It has: here.',
  },
])("$what is named", async ({ choice, says }) => {
  kubeconfig({ token: "secret" });
  await expect(readCluster({ file, ...choice })).rejects.toMatchObject({
    name: "TerminalError",
    message: expect.stringContaining(says),
  });
});
