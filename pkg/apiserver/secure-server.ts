import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Authenticator } from "./auth/authenticate.ts";
import { namesOf, refusePages } from "./auth/origin.ts";
import type { User } from "./auth/user.ts";
import type { Certified } from "./certificates.ts";
import type { Api } from "./server.ts";

export interface SecureServerOptions {
  readonly api: Api;
  readonly certified: Certified;
  readonly authenticate: Authenticator;
  /** Where it is going to listen, as the certificate and clients name it. */
  readonly host: string;
}

/**
 * A server over HTTPS that knows each request's user by its token, and answers no web page. The caller listens on
 * `host`, and ends it with `endServer`.
 */
export function createSecureServer({ api, certified, authenticate, host }: SecureServerOptions): Server {
  let names: ReadonlySet<string> = new Set();
  const identify = ({ headers }: IncomingMessage): User => {
    refusePages(headers, names);
    return authenticate(headers.authorization);
  };
  const { certificate, key } = certified;
  const server = createServer({ cert: certificate, key, keepAliveTimeout: idleMs }, api.listener(identify));
  server.on("listening", () => {
    names = namesOf(host, (server.address() as AddressInfo).port);
  });
  return server;
}

/** Clients of Kubernetes keep idle connections for 90 s: the server must not be the first to close one. */
const idleMs = 120_000;
/** How often connections that have become idle are looked for while the server closes, in milliseconds. */
const lookMs = 20;

/**
 * Takes no more requests, lets those that are being answered finish for at most `graceMs`, then closes. Watches end
 * by the Api's `drain`, which comes before.
 */
export async function endServer(
  server: Pick<Server, "close" | "closeIdleConnections" | "closeAllConnections">,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that falls idle after `close` would be kept open for its next request.
  const looking = setInterval(() => server.closeIdleConnections(), lookMs);
  const giving = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(looking);
  clearTimeout(giving);
}
