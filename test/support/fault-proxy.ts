/** A proxy before an API server that plays a bad network: what it does to the next requests is said beforehand. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Access } from "../../pkg/cluster/access.ts";

export type Fault =
  /** Answers itself. The body is a Status with the code's reason where none is given. */
  | { is: "answer"; code: number; headers?: Record<string, string>; body?: unknown }
  /** Closes the connection without an answer, before or after the server has done what was asked. */
  | { is: "drop"; when: "before" | "after" }
  /** Passes on this many lines of the answer and half of the next one, then closes the connection. */
  | { is: "cut"; lines: number }
  /** Passes on this many lines of the answer, then nothing more, for ever. */
  | { is: "silence"; lines: number }
  /** Sends each line of the answer twice, as a server does that resumes from an older revision than it was told. */
  | { is: "twice" };

export interface FaultProxy {
  readonly url: string;
  /** `METHOD path` of each request so far. */
  readonly requests: readonly string[];
  /** Plays `fault` on the next requests whose `METHOD path` matches, `times` times. */
  play(matching: RegExp, fault: Fault, times?: number): void;
  /** Refuses every request and closes every connection, until `false`. */
  cutOff(isOff: boolean): void;
  close(): Promise<void>;
}

/** @param target - the server behind, over HTTPS, with its credentials */
export async function faultProxy(target: Access): Promise<FaultProxy> {
  const faults: { matching: RegExp; fault: Fault; times: number }[] = [];
  const requests: string[] = [];
  let isOff = false;

  const server = http.createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const planned = faults.find(({ matching, times }) => times > 0 && matching.test(line));
    if (planned !== undefined) planned.times -= 1;
    void pass(target, incoming, outgoing, planned?.fault).catch(() => outgoing.destroy());
  });
  server.on("connection", (socket) => {
    if (isOff) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    play: (matching, fault, times = 1) => void faults.push({ matching, fault, times }),
    cutOff(off) {
      isOff = off;
      if (off) server.closeAllConnections();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function pass(
  target: Access,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const body: Buffer[] = [];
  for await (const chunk of incoming) body.push(chunk as Buffer);
  if (fault?.is === "drop" && fault.when === "before") return void outgoing.destroy();
  if (fault?.is === "answer") {
    const { code, headers = {} } = fault;
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code };
    return void outgoing
      .writeHead(code, { "content-type": "application/json", ...headers })
      .end(JSON.stringify(fault.body ?? status));
  }
  const { agent, headers } = await target.options();
  const { host: _host, authorization: _authorization, ...kept } = incoming.headers;
  const sent = https.request(`${target.server}${incoming.url}`, {
    method: incoming.method,
    agent,
    headers: { ...kept, ...headers },
  });
  outgoing.once("close", () => sent.destroy());
  sent.end(Buffer.concat(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  if (fault?.is === "drop") {
    for await (const _ of response) {
      // The server has done it; nobody hears of it.
    }
    return void outgoing.destroy();
  }
  outgoing.writeHead(response.statusCode ?? 500, response.headers);
  if (fault === undefined) return void response.pipe(outgoing);
  await passLines(response, outgoing, fault);
}

async function passLines(
  response: IncomingMessage,
  outgoing: ServerResponse,
  fault: Extract<Fault, { is: "cut" | "silence" | "twice" }>,
): Promise<void> {
  let passed = 0;
  let rest = "";
  for await (const chunk of response.setEncoding("utf8")) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (fault.is === "twice") {
        outgoing.write(`${line}\n${line}\n`);
        continue;
      }
      if (passed === fault.lines) {
        if (fault.is === "silence") continue;
        outgoing.write(line.slice(0, line.length / 2), () => outgoing.destroy());
        return;
      }
      outgoing.write(`${line}\n`);
      passed += 1;
    }
  }
  outgoing.end();
}
