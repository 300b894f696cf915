/** The connection to the real API, or to the rehearsal model: it alone knows the credential. */
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { httpFor } from "../system/http.ts";

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
  send(flushed: () => void): Promise<IncomingMessage>;
  /** Breaks the connection. */
  cut(reason: Error): void;
}

/** A connection that nobody uses is closed after this, in ms: sooner than servers do, who would cut a request. */
const IDLE_CONNECTION_MS = 4_000;
/** A connection on which nothing arrives is broken after this, in ms. */
const SILENCE_MS_MAX = 600_000;
/** How long an answer that costs nothing may take, in ms. */
const ASK_MS_MAX = 10_000;

export class Upstream {
  readonly #config: UpstreamConfig;
  readonly #heard: (date: string | undefined) => void;
  readonly #base: URL;
  readonly #agent: Agent;

  /** @param heard - told of the `Date` header of each answer; undefined: it had none */
  constructor(config: UpstreamConfig, heard: (date: string | undefined) => void = () => {}) {
    this.#config = config;
    this.#heard = heard;
    this.#base = new URL(config.baseUrl);
    const { Agent } = httpFor(this.#base);
    this.#agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });
  }

  /**
   * Connects, and sends nothing yet.
   *
   * @param signal - gives up connecting when aborted; without effect once connected
   * @throws Error when no connection comes about; `signal.reason` when aborted
   */
  async connect({ path, headers, form, body }: Outgoing, signal: AbortSignal): Promise<Exchange> {
    signal.throwIfAborted();
    const url = new URL(this.#base.pathname.replace(/\/+$/, "") + path, this.#base);
    const isSecure = url.protocol === "https:";
    const request = httpFor(url).request(url, {
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
    const answer = this.#answerTo(request);
    // Whoever waits for the connection or the answer gets the error; it must not be unhandled in between.
    answer.catch(() => {});
    const giveUp = (): void => void request.destroy(signal.reason);
    signal.addEventListener("abort", giveUp);
    try {
      await Promise.race([connected(request, isSecure), answer]);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    const silent = new Error(`Nothing arrived for ${SILENCE_MS_MAX / 1000} seconds.`);
    request.setTimeout(SILENCE_MS_MAX, () => request.destroy(silent));
    return {
      send(flushed) {
        request.end(body, flushed);
        return answer;
      },
      cut: (reason) => void request.destroy(reason),
    };
  }

  /**
   * Asks for something that costs nothing and says nothing of who asks, for the `Date` of its answer.
   *
   * @throws Error when no answer comes within 10 s; `signal.reason` when aborted
   */
  async ask(signal: AbortSignal): Promise<void> {
    const { request: start } = httpFor(this.#base);
    // Fresh from who answers: a date that a cache kept is of another time.
    const headers = { "cache-control": "no-cache" };
    const request = start(this.#base, { method: "HEAD", agent: this.#agent, headers, signal });
    request.setTimeout(ASK_MS_MAX, () =>
      request.destroy(new Error(`No answer in ${ASK_MS_MAX / 1000} seconds.`)),
    );
    const answer = this.#answerTo(request);
    request.end();
    (await answer).resume();
  }

  close(): void {
    this.#agent.destroy();
  }

  #answerTo(request: ClientRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request.on("error", reject).on("response", (answer) => {
        this.#heard(answer.headers.date);
        resolve(answer);
      });
    });
  }

  #authorization(form: CredentialForm): Record<string, string> {
    const { credential } = this.#config;
    if ("authToken" in credential) return { authorization: `Bearer ${credential.authToken}` };
    return form === "bearer"
      ? { authorization: `Bearer ${credential.apiKey}` }
      : { "x-api-key": credential.apiKey };
  }
}

function connected(request: ClientRequest, isSecure: boolean): Promise<void> {
  return new Promise((resolve) => {
    request.on("socket", (socket) => {
      if (request.reusedSocket) resolve();
      else socket.once(isSecure ? "secureConnect" : "connect", () => resolve());
    });
  });
}
