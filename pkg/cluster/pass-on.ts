/** Passes requests on to the API server with this process's credentials: for who has none of his own on this machine. */
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import type { Access } from "./access.ts";

/** Headers that speak of the connection, not of the request. */
const own = new Set(["host", "connection", "authorization", "keep-alive", "transfer-encoding", "upgrade"]);

/**
 * A listener that whoever can reach it has all the rights of `access` by: put it on a socket that only its owner can
 * open. What can't be passed on is answered with 502.
 */
export function passOn(access: Access): RequestListener {
  return (incoming, outgoing) => {
    pass(access, incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(`${access.server}: ${error instanceof Error ? error.message : error}`);
    });
  };
}

async function pass(access: Access, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { agent, headers } = await access.options();
  const kept = Object.entries(incoming.headers).filter(([name]) => !own.has(name));
  const transport = access.server.startsWith("https:") ? https : http;
  const sent = transport.request(`${access.server}${incoming.url}`, {
    method: incoming.method,
    agent,
    headers: { ...Object.fromEntries(kept), ...headers },
  });
  // A watch is given up by who asked for it.
  outgoing.once("close", () => sent.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
  });
  incoming.pipe(sent);
  const response = await answered;
  const { connection: _, "transfer-encoding": __, ...given } = response.headers;
  outgoing.writeHead(response.statusCode ?? 502, given);
  await pipeline(response, outgoing);
}
