import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Upstream } from "./upstream.ts";

test("where no TLS comes about there is no connection: a request that it took for one was charged whole, unsent", async () => {
  const server = net.createServer((socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 400 No\r\n\r\n")),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const upstream = new Upstream({ baseUrl, credential: { apiKey: "k" } });
  onTestFinished(() => {
    upstream.close();
    server.close();
  });
  const outgoing = { path: "/v1/messages", headers: {}, form: "x-api-key" as const, body: "{}" };
  await expect(upstream.connect(outgoing, new AbortController().signal)).rejects.toThrow();
});
