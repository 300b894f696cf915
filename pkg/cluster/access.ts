/** Where an API server is and who asks it. */
import type { RequestOptions } from "node:https";

export interface Access {
  /** The server's address, without a slash at its end: `https://127.0.0.1:6443`, perhaps with a path. */
  readonly server: string;
  /**
   * What a request of node:http or node:https needs now: an agent that keeps connections, and headers with the
   * credentials. To be asked for each request: credentials are renewed on the way.
   *
   * @throws Error when an exec plugin or a file gives no credentials
   */
  options(): Promise<Pick<RequestOptions, "agent" | "headers">>;
  /** The server refused the credentials: what is cached of them is forgotten, so that the next request has new ones. */
  renew(): void;
  /** Closes the connections that are kept. */
  close(): void;
}
