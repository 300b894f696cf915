/** The connection to the real API, or to the rehearsal model: it alone knows the credential. */
import http from "node:http";
import https from "node:https";
import type { TLSSocket } from "node:tls";

export interface UpstreamConfig {
  /** `https://api.anthropic.com`, or wherever the Messages API is spoken. */
  baseUrl: string;
  /** An API key, or a token that is only ever sent as a bearer. */
  credential: { apiKey: string } | { authToken: string };
}

/** How a client names its token; the credential takes the same place. */
export type CredentialForm = "bearer" | "x-api-key";

export interface Outgoing {
  /** With its query, from the base URL's path on. */
  path: string;
  headers: Readonly<Record<string, string>>;
  form: CredentialForm;
  body: string;
}

/** One request on a connection of its own until it ends. */
export interface Exchange {
  /**
   * Sends the request and resolves with its answer, status and headers read.
   *
   * @param flushed - called when the body has left this process
   * @throws Error when the connection breaks before a status came
   */
  send(flushed: () => void): Promise<http.IncomingMessage>;
  /** Breaks the connection. */
  cut(reason: Error): void;
}

/** A connection that nobody uses is closed after this, in ms: sooner than servers do, who would cut a request. */
const IDLE_CONNECTION_MS = 4_000;
/** A connection on which nothing arrives is broken after this, in ms. */
const SILENCE_MS_MAX = 600_000;
/** A connection must be there within this, in ms. */
const CONNECT_MS_MAX = 30_000;

export class Upstream {
  readonly #config: UpstreamConfig;
  readonly #base: URL;
  readonly #agent: http.Agent;

  constructor(config: UpstreamConfig) {
    this.#config = config;
    this.#base = new URL(config.baseUrl);
    const { Agent } = this.#base.protocol === "https:" ? https : http;
    this.#agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });
  }

  /**
   * Connects, and sends nothing yet.
   *
   * @throws Error when no connection comes about
   */
  async connect({ path, headers, form, body }: Outgoing): Promise<Exchange> {
    const url = new URL(this.#base.pathname.replace(/\/+$/, "") + path, this.#base);
    const { request: start } = url.protocol === "https:" ? https : http;
    const request = start(url, {
      method: "POST",
      agent: this.#agent,
      headers: {
        ...headers,
        ...this.#authorization(form),
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "accept-encoding": "identity",
      },
    });
    const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
      request.on("response", resolve).on("error", reject);
    });
    // Whoever waits for the connection or the answer gets the error; it must not be unhandled in between.
    answer.catch(() => {});
    await Promise.race([connected(request, url.protocol === "https:"), answer]);
    request.setTimeout(SILENCE_MS_MAX, () => request.destroy(new Error("Nothing arrived for 600 seconds.")));
    return {
      send(flushed) {
        request.end(body, flushed);
        return answer;
      },
      cut: (reason) => void request.destroy(reason),
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #authorization(form: CredentialForm): Record<string, string> {
    const { credential } = this.#config;
    if ("authToken" in credential) return { authorization: `Bearer ${credential.authToken}` };
    return form === "bearer"
      ? { authorization: `Bearer ${credential.apiKey}` }
      : { "x-api-key": credential.apiKey };
  }
}

function connected(request: http.ClientRequest, secure: boolean): Promise<void> {
  return new Promise((resolve) => {
    request.setTimeout(CONNECT_MS_MAX, () => request.destroy(new Error("No connection within 30 seconds.")));
    request.on("socket", (socket) => {
      const isReady = secure ? (socket as TLSSocket).getProtocol?.() !== null : !socket.connecting;
      if (request.reusedSocket || (isReady && !socket.connecting)) resolve();
      else socket.once(secure ? "secureConnect" : "connect", () => resolve());
    });
  });
}
