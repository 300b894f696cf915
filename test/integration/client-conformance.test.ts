/** What a controller sees equals what HTTP shows: the conformance scenarios, made through the in-process Client. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { createApiServer } from "../../pkg/apiserver/server.ts";
import { Registry } from "../../pkg/registry/registry.ts";
import { MemoryStorage } from "../../pkg/storage/memory.ts";
import { systemClock, systemDefer, systemIds, systemRandom } from "../../pkg/system/system.ts";
import { clientFacade, type Facade } from "./client-facade.ts";

const conformance = path.resolve(import.meta.dirname, "../conformance");
const run = promisify(execFile);

const folder = mkdtempSync(path.join(tmpdir(), "bosun-client-"));
const servers: Server[] = [];
const worlds: World[] = [];

interface World {
  readonly direct: number;
  readonly facade: Facade;
  readonly through: number;
}

/** Two registries, so that the two runs do not meet. */
beforeAll(async () => {
  worlds.push(await world(), await world());
});

afterAll(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function world(): Promise<World> {
  const crds = path.join(conformance, "crds");
  const registry = await Registry.open({
    storage: new MemoryStorage(),
    crds: readdirSync(crds).map((file) => parse(readFileSync(path.join(crds, file), "utf8"))),
    clock: systemClock,
    ids: systemIds,
    random: systemRandom,
    defer: systemDefer,
  });
  const direct = await listen(createApiServer({ registry }));
  const facade = clientFacade(registry, direct);
  return { direct, facade, through: await listen(facade.server) };
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** `scenario / step` of every step that a server at `port` fails, in structure or in words. */
async function failures(port: number): Promise<readonly string[]> {
  const report = path.join(folder, `${port}.json`);
  const args = [
    path.join(conformance, "run.mjs"),
    "--server",
    `http://127.0.0.1:${port}`,
    "--kind",
    "http",
    "--quiet",
  ];
  // A step that fails makes the runner's exit code 1: the report says which.
  await run(process.execPath, [...args, "--json", report, path.join(conformance, "scenarios/http")]).catch(
    () => {},
  );
  const { scenarios } = JSON.parse(readFileSync(report, "utf8")) as Report;
  return scenarios.flatMap(({ name, steps }) =>
    steps
      .filter(({ structural, messages }) => !structural || messages === false)
      .map((step) => `${name} / ${step.name}`),
  );
}

interface Report {
  scenarios: readonly {
    name: string;
    steps: readonly { name: string; structural: boolean; messages: boolean | null }[];
  }[];
}

test("the Client answers every conformance step as HTTP does", { timeout: 600_000 }, async () => {
  const [one, other] = worlds as [World, World];
  const [direct, through] = await Promise.all([failures(one.direct), failures(other.through)]);

  expect(through).toEqual(direct);
  // Else nothing was shown.
  expect(other.facade.served()).toBeGreaterThan(200);
});
