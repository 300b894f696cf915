import { once } from "node:events";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Upstream } from "./upstream.ts";

const outgoing = { path: "/v1/messages", headers: {}, form: "x-api-key" as const, body: "{}" };

/** Before a server that takes connections and does with them what `serve` does; no TLS comes about. */
async function unsecured(serve: (socket: Socket) => void): Promise<{ upstream: Upstream; server: Server }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const upstream = new Upstream({ baseUrl, credential: { apiKey: "k" } });
  onTestFinished(() => {
    upstream.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { upstream, server };
}

test("where no TLS comes about there is no connection: a request that it took for one was charged whole, unsent", async () => {
  const { upstream } = await unsecured((socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 400 No\r\n\r\n")),
  );
  await expect(upstream.connect(outgoing, new AbortController().signal)).rejects.toThrow();
});

test("a connection that does not come about is given up with who waited for it", async () => {
  const { upstream, server } = await unsecured((socket) => socket.on("error", () => {}));
  const leaving = new AbortController();
  const connecting = upstream.connect(outgoing, leaving.signal);
  connecting.catch(() => {});
  await once(server, "connection");
  leaving.abort(new Error("The client left."));
  await expect(connecting).rejects.toThrow("The client left.");
});
