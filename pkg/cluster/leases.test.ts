import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { StatusError } from "../api/status-error.ts";
import { systemClock, systemRandom } from "../system/system.ts";
import { leaseStore } from "./leases.ts";
import { SimLeases } from "./testing/leases.ts";

/** A server that has Leases and nothing else. */
async function serving(): Promise<string> {
  const leases = new SimLeases(systemClock);
  const answer = async (request: IncomingMessage): Promise<{ code: number; body: unknown }> => {
    const { method = "", url = "" } = request;
    const [, name = "bosun"] = /\/namespaces\/default\/leases(?:\/(\w+))?$/.exec(url) ?? [];
    try {
      return leases.answer(method, name, method === "GET" ? undefined : await json(request));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return { code: error.code, body: error.toStatus() };
    }
  };
  const server = createServer(async (request, response) => {
    const { code, body } = await answer(request);
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function store() {
  const access = { server: await serving(), options: async () => ({}), renew() {}, close() {} };
  const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bosun-test" };
  return leaseStore(deps, { namespace: "default", name: "bosun" });
}

test("of all that write a Lease as they have read it one succeeds: as it is made, and each time that it is taken", async () => {
  const lease = await store();
  expect(await lease.read()).toBeUndefined();
  for (let round = 0; round < 3; round += 1) {
    const read = await lease.read();
    const names = ["one", "two", "three"].map((name) => `${name} in round ${round}`);
    const written = await Promise.allSettled(
      names.map((holderIdentity) => lease.write({ ...read, spec: { holderIdentity } })),
    );
    const [winner, ...others] = written.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(others).toEqual([]);
    expect(await lease.read()).toEqual(winner);
    expect(names).toContain(winner?.spec.holderIdentity);
    const refusals = written.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    const reason = read === undefined ? "AlreadyExists" : "Conflict";
    expect(refusals).toMatchObject([{ reason }, { reason }]);
  }
});
