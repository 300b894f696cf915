/** Sends requests that no client library would let through, and says what came back and when. */
import { Agent, request as open } from "node:https";
import { connect } from "node:tls";
import type { FuzzRequest } from "./request.ts";
import { targetOf } from "./request.ts";
import type { ServerProcess } from "./server-process.ts";

export interface Answer {
  status: number;
  contentType: string;
  /** As UTF-8; of a watch only the first moment. */
  text: string;
  /** Until all of it was there; for a watch, until its head was. */
  tookMs: number;
}

export type Outcome =
  | { is: "answered"; answer: Answer }
  /** Node would not even send it, or the connection was closed: as it may be for what is no HTTP. */
  | { is: "refused"; why: string }
  /** Nothing came for `giveUpMs`. */
  | { is: "silent" };

/** When waiting is given up, in milliseconds. */
const giveUpMs = 30_000;
/** How long events of a watch are read, in milliseconds. */
const watchMs = 30;

export interface Sender {
  send(request: FuzzRequest): Promise<Outcome>;
  /** Sends bytes as they are, closes its side, and waits until the other is closed too, a second at most. */
  sendRaw(bytes: Buffer): Promise<void>;
  close(): void;
}

/** @param nowMs - a clock that only grows, in milliseconds */
export function openSender(server: ServerProcess, connections: number, nowMs: () => number): Sender {
  const { host, port, token } = server;
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  return {
    send: async (request) =>
      await new Promise<Outcome>((resolve) => {
        const startMs = nowMs();
        const took = (): number => nowMs() - startMs;
        // By the query, or by the old prefix of the path.
        const isWatch =
          /\/watch(\/|$)/.test(request.path) || request.query.some(([name]) => name === "watch");
        const headers: Record<string, string> = { authorization: `Bearer ${token}`, ...request.headers };
        if (request.body !== undefined) headers["content-length"] = String(request.body.length);
        try {
          const path = targetOf(request);
          const sent = open({
            host,
            port,
            agent,
            method: request.method,
            path,
            headers,
            rejectUnauthorized: false,
          });
          const timer = setTimeout(() => {
            resolve({ is: "silent" });
            sent.destroy();
          }, giveUpMs);
          const settle = (outcome: Outcome): void => {
            clearTimeout(timer);
            resolve(outcome);
          };
          sent.on("error", (error) => settle({ is: "refused", why: error.message }));
          sent.on("connect", (_, socket) => {
            socket.destroy();
            settle({ is: "refused", why: "CONNECT" });
          });
          sent.on("upgrade", (_, socket) => {
            socket.destroy();
            settle({ is: "refused", why: "Upgrade" });
          });
          sent.on("response", (response) => {
            const headMs = took();
            const chunks: Buffer[] = [];
            const answered = (tookMs: number): void =>
              settle({
                is: "answered",
                answer: {
                  status: response.statusCode ?? 0,
                  contentType: response.headers["content-type"] ?? "",
                  text: Buffer.concat(chunks).toString("utf8"),
                  tookMs,
                },
              });
            response.on("data", (chunk: Buffer) => void chunks.push(chunk));
            response.on("end", () => answered(isWatch ? headMs : took()));
            response.on("error", (error) => settle({ is: "refused", why: error.message }));
            if (isWatch)
              setTimeout(() => {
                answered(headMs);
                sent.destroy();
              }, watchMs);
          });
          sent.end(request.body);
        } catch (error) {
          resolve({ is: "refused", why: String(error) });
        }
      }),

    sendRaw: async (bytes) =>
      await new Promise<void>((resolve) => {
        const socket = connect({ host, port, rejectUnauthorized: false }, () => socket.end(bytes));
        socket.setTimeout(1000, () => socket.destroy());
        socket.on("error", () => socket.destroy());
        socket.on("close", () => resolve());
        socket.resume();
      }),

    close: () => agent.destroy(),
  };
}

/** The request as HTTP/1.1 text. */
export function rawRequest(request: FuzzRequest, { host, port, token }: ServerProcess): Buffer {
  const headers = { host: `${host}:${port}`, authorization: `Bearer ${token}`, ...request.headers };
  const body = request.body ?? Buffer.alloc(0);
  const lines = [
    `${request.method} ${targetOf(request)} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
