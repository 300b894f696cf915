/** How the bench asks: over bare HTTP, and through the SDK as sessions do. Both say when bytes came. */
import { Agent, request } from "node:http";
import Anthropic from "@anthropic-ai/sdk";

export interface Target {
  url: string;
  token: string;
}

export interface Asked {
  /** Streamed: so many deltas. Else the answer is whole. */
  deltas?: number;
  /** Characters of the prompt. */
  promptCharacters: number;
}

export interface Answered {
  firstMs: number;
  wholeMs: number;
  bytes: number;
}

export type Caller = (target: Target, asked: Asked) => Promise<Answered>;

const agent = new Agent({ keepAlive: true });

/** On connections that stay. */
export const overHttp: Caller = (target, asked) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify(bodyOf(asked));
    const startMs = performance.now();
    const sent = request(`${target.url}/v1/messages`, {
      method: "POST",
      agent,
      headers: {
        "x-api-key": target.token,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let firstMs = Number.NaN;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        if (bytes === 0) firstMs = performance.now() - startMs;
        bytes += chunk.length;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) reject(new Error(`The answer was ${response.statusCode}.`));
        else resolve({ firstMs, wholeMs: performance.now() - startMs, bytes });
      });
    });
    sent.end(body);
  });

/** As a session asks, in a stream. */
export const throughSdk: Caller = async (target, asked) => {
  const client = new Anthropic({ baseURL: target.url, apiKey: target.token, maxRetries: 0, logLevel: "off" });
  const startMs = performance.now();
  let firstMs = Number.NaN;
  const stream = client.messages.stream(bodyOf(asked));
  stream.on("streamEvent", () => {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - startMs;
  });
  await stream.finalMessage();
  return { firstMs, wholeMs: performance.now() - startMs, bytes: 0 };
};

function bodyOf({ deltas, promptCharacters }: Asked): Anthropic.Messages.MessageCreateParams {
  return {
    model: "claude-sonnet-5-5",
    max_tokens: deltas ?? 20,
    messages: [{ role: "user", content: "x".repeat(promptCharacters) }],
    ...(deltas === undefined ? {} : { stream: true }),
  };
}
