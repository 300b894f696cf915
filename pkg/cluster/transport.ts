/** What carries a request to an API server and its answer back: node:http and node:https, or what stands in for them. */
import http, { type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";

/** A request as it goes over the wire. */
export interface Carried extends Pick<RequestOptions, "agent" | "headers"> {
  method: string;
  /** Absolute: the server's address, path and query. */
  url: string;
  payload?: Buffer;
  /** The answer has to begin within this, and may pause no longer, in milliseconds. */
  silentMs: number;
  signal?: AbortSignal;
}

/** An answer whose headers are there; iterating it gives its body, and throws where the connection ends before that. */
export interface Answer extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingMessage["headers"];
  /** Gives up what has not been read. */
  destroy(): unknown;
}

/** Rejects when no answer begins, with whatever says why. */
export type Transport = (request: Carried) => Promise<Answer>;

/** Through Node's own client. A GET whose kept connection turns out to be closed is sent again at once. */
export const httpTransport: Transport = (carried) => {
  const { method, url, agent, headers, payload, silentMs, signal } = carried;
  const { request: begin } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const options = { method, agent, headers, ...(signal === undefined ? {} : { signal }) };
    const request = begin(url, options);
    request.setTimeout(silentMs, () =>
      request.destroy(new Error(`It was silent for ${silentMs / 1000} seconds.`)),
    );
    request.on("error", (cause: NodeJS.ErrnoException) => {
      // A kept connection that the server had just given up. Asking again changes nothing there.
      if (method === "GET" && request.reusedSocket && cause.code === "ECONNRESET" && signal?.aborted !== true)
        resolve(httpTransport(carried));
      else reject(cause);
    });
    request.on("response", resolve);
    request.end(payload);
  });
};
