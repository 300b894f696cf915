import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenAt, listenAtKeptPort } from "./listen.ts";

const host = "127.0.0.1";
let folder: string;
let file: string;
let servers: Server[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-listen-"));
  file = path.join(folder, "port");
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

async function keptPort(seed: string): Promise<{ port: number; server: Server }> {
  const listener = server();
  await listenAtKeptPort(listener, { host, file, seed });
  return { port: (listener.address() as AddressInfo).port, server: listener };
}

test("a port that is taken is a clear error", async () => {
  const first = server();
  await listenAt(first, { host, port: 0 });
  const { port } = first.address() as AddressInfo;
  await expect(listenAt(server(), { host, port })).rejects.toThrow(
    `Can't listen at 127.0.0.1:${port}: another process listens there.`,
  );
  await expect(listenAt(server(), { host: "192.0.2.7", port: 0 })).rejects.toThrow("no such address");
});

test("a workspace has a port of its own, which it keeps", async () => {
  // No other test runs with this seed.
  const first = await keptPort(folder);
  expect(first.port).toBeGreaterThanOrEqual(26_000);
  expect(first.port).toBeLessThan(30_000);
  expect(readFileSync(file, "utf8")).toBe(`${first.port}\n`);
  await new Promise((resolve) => first.server.close(resolve));
  expect((await keptPort("another seed does not matter any more")).port).toBe(first.port);
});

test("where its port is taken it takes the next free one, and keeps that", async () => {
  const first = await keptPort(folder);
  const second = await keptPort(folder);
  expect(second.port).not.toBe(first.port);
  await new Promise((resolve) => first.server.close(resolve));
  await new Promise((resolve) => second.server.close(resolve));
  expect((await keptPort(folder)).port).toBe(second.port);
});

test.each(["", "none", "80", "1e9", "26000.5"])("a kept port of %j is not heeded", async (text) => {
  writeFileSync(file, text);
  const { port } = await keptPort(folder);
  expect(readFileSync(file, "utf8")).toBe(`${port}\n`);
});
