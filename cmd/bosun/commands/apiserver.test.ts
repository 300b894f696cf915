/** `bosun apiserver` as a process, over real HTTPS. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../../pkg/system/package-root.ts";

const widgets = "/apis/conf.bosun.dev/v1/namespaces/default/widgets";
let folder: string;
let kubeconfig: string;
let running: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-apiserver-"));
  kubeconfig = path.join(folder, "out", "config");
  mkdirSync(path.join(folder, "crds"));
  cpSync(path.join(packageRoot(), "test/conformance/crds/widgets.yaml"), path.join(folder, "crds/w.yaml"));
  running = [];
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Started {
  child: ChildProcess;
  /** All that it printed so far. */
  output(): string;
}

function start(...more: string[]): Started {
  const own = ["apiserver", "--crd-dir", "crds", "--data-dir", "data", "--kubeconfig-out", kubeconfig];
  const child = spawn(process.execPath, [path.join(packageRoot(), "bin/bosun.mjs"), ...own, ...more], {
    cwd: folder,
  });
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  return { child, output: () => text };
}

async function served(started: Started): Promise<void> {
  while (!started.output().includes("Kubeconfig: ")) {
    if (started.child.exitCode !== null) throw new Error(started.output());
    await Promise.race([once(started.child.stdout ?? started.child, "data"), once(started.child, "exit")]);
  }
}

async function send(
  method: string,
  target: string,
  { body, ...options }: RequestOptions & { body?: unknown } = {},
): Promise<{ code: number; json: { metadata: { name?: string }; items: { metadata: { name: string } }[] } }> {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const { server, "certificate-authority-data": authority } = config.clusters[0].cluster;
  const headers = {
    authorization: `Bearer ${config.users[0].user.token}`,
    "content-type": "application/json",
  };
  const ca = Buffer.from(authority, "base64");
  const sent = request(`${server}${target}`, { method, ca, agent: false, headers, ...options });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { code: response.statusCode, json: JSON.parse(text) };
}

test("a kubeconfig is all that a client needs; what was answered is there after a kill -9; a signal ends it", async () => {
  const first = start();
  await served(first);
  expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
  expect((await send("GET", widgets, { headers: {} })).code).toBe(401);
  const widget = {
    apiVersion: "conf.bosun.dev/v1",
    kind: "Widget",
    metadata: { name: "a" },
    spec: { size: 1 },
  };
  expect((await send("POST", widgets, { body: widget })).code).toBe(201);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  const second = start();
  await served(second);
  const { items } = (await send("GET", widgets)).json;
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
  second.child.kill("SIGTERM");
  expect(await once(second.child, "exit")).toEqual([0, null]);
});

test("neither the same data nor the same port is served twice, and both are said", async () => {
  const first = start();
  await served(first);
  const second = start();
  expect(await once(second.child, "close")).toEqual([1, null]);
  expect(second.output()).toContain(`An API server already runs here (process ${first.child.pid}).`);
  expect(second.output()).toContain("--data-dir");

  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const third = start("--data-dir", "other", "--listen", `127.0.0.1:${port}`);
  expect(await once(third.child, "close")).toEqual([1, null]);
  expect(third.output()).toContain(`Can't listen at 127.0.0.1:${port}: another process listens there.`);
  taken.close();
});

test.each([
  [["--listen", "8443"], 2, "--listen must be HOST:PORT, and is 8443."],
  [["--crd-dir", "none"], 2, "is not there"],
  [["--garbage-collector", "maybe"], 2, "Allowed choices are on, off"],
])("%j is refused", async (args, code, message) => {
  const refused = start(...args);
  expect(await once(refused.child, "close")).toEqual([code, null]);
  expect(refused.output()).toContain(message);
});

test.each([
  [
    "that is wrong",
    "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nspec: {}\n",
    "CustomResourceDefinition",
  ],
  ["that is no YAML", "kind: [CustomResourceDefinition\n", "Flow sequence"],
])("a definition %s is named with its file, as a person's mistake and no bug", async (_, text, words) => {
  writeFileSync(path.join(folder, "crds/bad.yaml"), text);
  const started = start();
  await once(started.child, "close");
  expect(started.child.exitCode).toBe(2);
  expect(started.output()).toContain(`${path.join(folder, "crds/bad.yaml")}: `);
  expect(started.output()).toContain(words);
  expect(started.output()).not.toContain("bug");
});
