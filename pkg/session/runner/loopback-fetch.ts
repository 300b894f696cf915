import { Readable } from "node:stream";
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
    const url = new URL(input instanceof Request ? input.url : input);
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
        const status = incoming.statusCode ?? 0;
        const answered = new Headers();
        for (const [name, value] of Object.entries(incoming.headers)) {
          if (value !== undefined) answered.set(name, Array.isArray(value) ? value.join(", ") : value);
        }
        const empty = status === 204 || status === 304;
        if (empty) incoming.resume();
        resolve(
          new Response(empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>), {
            status,
            headers: answered,
          }),
        );
      });
      outgoing.end(body);
    });
  };
}
