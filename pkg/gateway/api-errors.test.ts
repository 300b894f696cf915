import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { answerError } from "./api-errors.ts";

test("an answer that has begun is cut by an error, so that nobody takes what came of it for the whole", async () => {
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("half", () => answerError(response, { type: "api_error", message: "The disk is full." }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const sent = http.get({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, agent: false });
  const [answer] = (await once(sent, "response")) as [http.IncomingMessage];
  await expect(text(answer)).rejects.toMatchObject({ code: "ECONNRESET" });
});
