import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { answerNotice, tellOfStop } from "./stop-notice.ts";

test("an operator that is told of a stop heeds it before it answers, and takes nothing else for a notice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-notice-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const heeded: string[] = [];
  await using server = createServer((request, response) => {
    const isNotice = answerNotice(request, response, () => heeded.push(request.url ?? ""));
    if (!isNotice) response.writeHead(404).end();
  });
  const socket = join(folder, "operator.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await tellOfStop(socket);
  expect(heeded).toEqual(["/bosun.dev/stop"]);
});
