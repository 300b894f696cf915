/** Passes requests on to the API server with this process's credentials: for who has none of his own on this machine. */
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import type { Status } from "../api/status-error.ts";
import type { Access } from "./access.ts";

/** Headers that speak of the connection, not of the request. */
const own = new Set(["host", "connection", "authorization", "keep-alive", "transfer-encoding", "upgrade"]);

/** Less than whoever asks through a socket waits, so that he is told who gave no answer, in milliseconds. */
const answerMsDefault = 20_000;

/**
 * A listener that whoever can reach it has all the rights of `access` by: put it on a socket that only its owner can
 * open. What can't be passed on is answered with a Status 502 that names the server.
 *
 * @param answerMs - an answer has to begin within this, in milliseconds
 */
export function passOn(access: Access, answerMs = answerMsDefault): RequestListener {
  return (incoming, outgoing) => {
    pass(access, incoming, outgoing, answerMs).catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else
        outgoing.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify(noAnswer(error)));
    });
  };

  function noAnswer(error: unknown): Status {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${access.server} gave no answer: ${why}`;
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      code: 502,
      reason: "ServiceUnavailable",
      message,
    };
  }
}

async function pass(
  access: Access,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answerMs: number,
): Promise<void> {
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
  sent.setTimeout(answerMs, () => sent.destroy(new Error(`It was silent for ${answerMs / 1000} seconds.`)));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
  });
  incoming.pipe(sent);
  const response = await answered;
  // A watch may be silent.
  sent.setTimeout(0);
  const { connection: _, "transfer-encoding": __, ...given } = response.headers;
  outgoing.writeHead(response.statusCode ?? 502, given);
  // By itself Node keeps them for the first of the body, which for a watch is the first change.
  outgoing.flushHeaders();
  await pipeline(response, outgoing);
}
