import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { http } from "../../system/http.ts";

/**
 * `fetch` to the gateway, over plain HTTP on loopback.
 *
 * Node's own gives up on an answer whose headers take longer than five minutes, which a request that waits in
 * line for budget may; this one has no limit of its own. Redirects are not followed and there is no pool.
 *
 * @param onBytes - called for each piece of an answer, keep-alives included, and for its headers
 */
export function loopbackFetch(onBytes: () => void) {
  return async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (typeof input === "object" && !(input instanceof URL))
      throw new TypeError("The gateway is named by a URL.");
    const url = new URL(input);
    const headers = Object.fromEntries(new Headers(init.headers));
    const body = typeof init.body === "string" ? init.body : undefined;
    if (init.body !== undefined && init.body !== null && body === undefined) {
      throw new TypeError("The gateway is sent text only.");
    }
    return new Promise((resolve, reject) => {
      const outgoing = http.request(url, {
        method: init.method ?? "GET",
        headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
        agent: false,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      outgoing.once("error", reject);
      outgoing.once("response", (incoming) => {
        onBytes();
        incoming.on("data", onBytes);
        incoming.pause();
        resolve(asResponse(url, incoming));
      });
      outgoing.end(body);
    });
  };
}

/**
 * What the SDK reads of a `Response`. Its body is Node's own stream, which is read as any other: to make a web stream of it
 * takes longer than all else here.
 */
function asResponse({ href }: URL, incoming: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = "" } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const isEmpty = status === 204 || status === 304;
  if (isEmpty) incoming.resume();
  const read = { status, statusText, ok: status >= 200 && status < 300, headers, url: href };
  const whole = () => text(incoming);
  const json = async (): Promise<unknown> => JSON.parse(await whole());
  return { ...read, body: isEmpty ? null : incoming, text: whole, json } as unknown as Response;
}
