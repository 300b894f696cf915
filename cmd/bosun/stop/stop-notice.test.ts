import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http, { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { answerNotice, tellOfStop } from "./stop-notice.ts";

/** An operator that heeds a notice and answers all else by 404. */
async function operatorAt(socket: string) {
  const heeded: string[] = [];
  const server = createServer((request, response) => {
    const isNotice = answerNotice(request, response, () => heeded.push(request.url ?? ""));
    if (!isNotice) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  return heeded;
}

function socketIn(): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-notice-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "operator.sock");
}

test("an operator that is told of a stop heeds it", async () => {
  const socket = socketIn();
  const heeded = await operatorAt(socket);
  await tellOfStop(socket);
  expect(heeded).toEqual(["/bosun.dev/stop"]);
});

test("an operator has heeded a stop by the time that it answers: whoever hears it relies on that", () => {
  let isHeeded = false;
  const heededAtAnswer: boolean[] = [];
  const response = { end: () => heededAtAnswer.push(isHeeded) } as unknown as ServerResponse;
  const notice = { url: "/bosun.dev/stop", method: "POST" } as IncomingMessage;
  answerNotice(notice, response, () => {
    isHeeded = true;
  });
  expect(heededAtAnswer).toEqual([true]);
});

test.each([
  { method: "GET", path: "/bosun.dev/stop" },
  { method: "POST", path: "/apis/bosun.dev/v1alpha1" },
])("$method $path is no notice of a stop", async ({ method, path }) => {
  const socket = socketIn();
  const heeded = await operatorAt(socket);
  const asked = http.request({ socketPath: socket, method, path, agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  expect(response.resume().statusCode).toBe(404);
  expect(heeded).toEqual([]);
});

test("an operator that knows no notices, as one of an older package, has not heard of the stop", async () => {
  const socket = socketIn();
  await using server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await expect(tellOfStop(socket)).rejects.toThrow("404");
});
