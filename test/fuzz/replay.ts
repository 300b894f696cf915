/** Requests that showed something, kept to be sent again. */
import { readFileSync, rmSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describeRequest, type FuzzRequest } from "./request.ts";
import { openSender } from "./sender.ts";
import { newDataFolder, startServer } from "./server-process.ts";

/** `request` as one line of JSON. */
export function requestLine(request: FuzzRequest): string {
  return JSON.stringify({ ...request, body: request.body?.toString("base64") });
}

/** Sends each request of `file` to a new server and tells what came back. */
export async function replay(file: string, print: (line: string) => void): Promise<void> {
  const data = newDataFolder();
  const server = await startServer(data);
  const sender = openSender(server, 1, () => performance.now());
  try {
    for (const line of readFileSync(file, "utf8").split("\n").filter(Boolean)) {
      const { body, ...kept } = JSON.parse(line) as FuzzRequest & { body?: string };
      const request = { ...kept, body: body === undefined ? undefined : Buffer.from(body, "base64") };
      const outcome = await sender.send(request);
      const said =
        outcome.is === "answered"
          ? `${outcome.answer.status} after ${outcome.answer.tookMs.toFixed(0)} ms: ${outcome.answer.text}`
          : outcome.is;
      print(`${describeRequest(request).slice(0, 300)}\n  ${said.slice(0, 600)}`);
    }
    print(server.log());
  } finally {
    sender.close();
    await server.end("SIGTERM");
    rmSync(data, { recursive: true, force: true });
  }
}
