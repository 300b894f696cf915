import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { createApi } from "../../../pkg/apiserver/server.ts";
import { TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { openRegistry, until } from "../testing/operator.ts";
import { listenAt } from "./listen.ts";
import { type Serving, serve } from "./serve.ts";

const dayMs = 86_400_000;
let folder: string;
let file: string;
let clock: TestClock;
let serving: Serving;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-serve-"));
  file = path.join(folder, "kubeconfig");
  // TLS looks at the real time, to which no certificate may be of the future.
  clock = new TestClock(new Date(Date.now() - 330 * dayMs).toISOString());
  serving = await serve({
    api: createApi({ registry: await openRegistry() }),
    folder: path.join(folder, "serving"),
    host: "127.0.0.1",
    listen: (server) => listenAt(server, { host: "127.0.0.1", port: 0 }),
    name: "here",
    kubeconfig: file,
    clock,
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  await serving.close();
  rmSync(folder, { recursive: true });
});

/** What a client sees that trusts what a kubeconfig names and shows its token. */
async function ask(kubeconfig = file): Promise<{ code: number; certificate: X509Certificate }> {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const { server, "certificate-authority-data": authority } = config.clusters[0].cluster;
  const sent = request(`${server}/api`, {
    ca: Buffer.from(authority, "base64"),
    headers: { authorization: `Bearer ${config.users[0].user.token}` },
    agent: false,
  }).end();
  const [response] = await once(sent, "response");
  const { raw } = (response.socket as TLSSocket).getPeerCertificate();
  response.resume();
  return { code: response.statusCode, certificate: new X509Certificate(raw) };
}

test("two kubeconfigs lead to it, named for what it serves, and only their owner can read them", async () => {
  for (const [kubeconfig, name] of [
    [file, "here"],
    [`${file}-read-only`, "here-read-only"],
  ] as const) {
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    const config = parse(readFileSync(kubeconfig, "utf8"));
    expect(config["current-context"]).toBe(name);
    expect(config.contexts).toEqual([{ name, context: { cluster: name, user: name, namespace: "default" } }]);
    expect(config.clusters[0].cluster.server).toBe(serving.url);
    expect((await ask(kubeconfig)).code).toBe(200);
  }
});

test("a server that runs for long takes a new certificate, and clients notice nothing", async () => {
  const config = readFileSync(file, "utf8");
  const { certificate } = await ask();
  await clock.advance(300 * dayMs);
  await until(async () => {
    await clock.advance(dayMs);
    return (await ask()).certificate.serialNumber !== certificate.serialNumber;
  }, "another certificate");
  expect(readFileSync(file, "utf8")).toBe(config);
});

test("a token whose file is gone is worth nothing from the next day on", async () => {
  const config = readFileSync(file, "utf8");
  const old = path.join(folder, "old");
  writeFileSync(old, config);
  rmSync(path.join(folder, "serving", "token"));
  expect((await ask(old)).code).toBe(200);
  await clock.advance(dayMs);
  await until(() => readFileSync(file, "utf8") !== config, "another kubeconfig");
  expect((await ask()).code).toBe(200);
  expect((await ask(old)).code).toBe(401);
});
