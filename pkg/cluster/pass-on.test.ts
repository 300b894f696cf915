import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { passOn } from "./pass-on.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const accessTo = (server: string) => ({
  server,
  options: async () => ({ headers: { authorization: "Bearer operator" } }),
  renew() {},
  close() {},
});

test("a server that takes a request and does not answer is named, before who asks gives up", async () => {
  const silent = await serving(() => {});
  const answer = await fetch(await serving(passOn(accessTo(silent), 50)));
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({
    kind: "Status",
    reason: "ServiceUnavailable",
    message: `${silent} gave no answer: It was silent for 0.05 seconds.`,
  });
});

test("a server that can't be reached is named", async () => {
  const answer = await fetch(await serving(passOn(accessTo("http://127.0.0.1:1"))));
  expect(await answer.json()).toMatchObject({
    code: 502,
    message: "http://127.0.0.1:1 gave no answer: connect ECONNREFUSED 127.0.0.1:1",
  });
});

test("a watch without a change is answered at once, and goes on though it is silent", async () => {
  const held: ServerResponse[] = [];
  const server = await serving((_, response) => {
    response.writeHead(200).flushHeaders();
    held.push(response);
  });
  // A busy machine is itself silent for longer than the shortest of these.
  for (let answerMs = 50; ; answerMs *= 2) {
    const answer = await fetch(await serving(passOn(accessTo(server), answerMs)));
    if (answer.status === 502) continue;
    setTimeout(() => held.forEach((response) => void response.end("event")), 3 * answerMs);
    expect(await answer.text()).toBe("event");
    break;
  }
});
