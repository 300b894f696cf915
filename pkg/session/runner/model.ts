import type Anthropic from "@anthropic-ai/sdk";
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { AnthropicError, APIError } from "@anthropic-ai/sdk/core/error";
import { Messages } from "@anthropic-ai/sdk/resources/messages/messages";
import { HOST_HEADER, TURN_HEADER } from "../../gateway/money.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Access } from "../session-folder.ts";
import { type ContentBlock, type MessageParam, toolCalls } from "./blocks.ts";
import { loopbackFetch } from "./loopback-fetch.ts";
import type { ErrorAnswer } from "./retry.ts";

/** One turn to ask for. */
export interface TurnRequest {
  /** Which turn of the session it is, from 1, over all runs. Asked again it keeps its number. */
  turn: number;
  model: string;
  /** Upper bound of what it may print, in tokens. */
  maxTokens: number;
  system: string;
  messages: readonly MessageParam[];
  tools: readonly Anthropic.Messages.Tool[];
}

/** What came of one request. */
export type TurnAnswer =
  | { is: "turn"; content: readonly ContentBlock[]; stopReason: string; inputTokens: number }
  /** An error status before any of the turn. */
  | { is: "error"; answer: ErrorAnswer }
  /** Nothing was sent: nobody listens at the gateway's address. */
  | { is: "unsent"; why: string }
  /** Sent, and no whole turn came back. Whether the model worked is unknown. */
  | { is: "lost"; why: string };

export interface Model {
  ask(request: TurnRequest): Promise<TurnAnswer>;
}

/** Silence in an answer after which it is given up, in seconds; keep-alives break it. */
const silenceTimeoutSeconds = 180;

/** Longest wait for an answer to begin, in seconds: requests wait in line for budget up to 300. */
export const answerTimeoutSeconds = 900;

/** Longest time that an answer may take in all, in seconds, however regularly something of it comes. */
const requestTimeoutSeconds = 3600;

export interface ModelOptions {
  /** Read for each request: a gateway that came back may be elsewhere. */
  access(): Access;
  /** Name of this host, another one after each start: tells the gateway what is asked for again after a crash. */
  host: string;
  clock: Clock;
  /** Called before each request. */
  onAsked(): void;
  /** Called whenever something arrives: more has to within `silenceMs`. */
  onActivity(silenceMs: number): void;
  /** Overrides the 180 s. */
  silenceTimeoutSeconds?: number;
}

/** The Messages API at the gateway, through the SDK: streaming, one request a call, no retry of its own. */
export function sdkModel(options: ModelOptions): Model {
  const limitMs = (options.silenceTimeoutSeconds ?? silenceTimeoutSeconds) * 1000;
  return {
    async ask(request) {
      const { url, token } = options.access();
      options.onAsked();
      const watchdog = silenceWatchdog(limitMs, options.clock);
      const client = new BaseAnthropic({
        baseURL: url,
        apiKey: token,
        maxRetries: 0,
        timeout: answerTimeoutSeconds * 1000,
        fetch: loopbackFetch(() => {
          watchdog.reset();
          options.onActivity(limitMs);
        }),
        logLevel: "off",
      });
      try {
        const stream = new Messages(client).stream(parameters(request), {
          signal: watchdog.signal,
          headers: { [TURN_HEADER]: String(request.turn), [HOST_HEADER]: options.host },
        });
        return turnOf(await stream.finalMessage());
      } catch (error) {
        return failureOf(error, watchdog.signal);
      } finally {
        watchdog.end();
      }
    },
  };
}

function parameters(request: TurnRequest): Anthropic.Messages.MessageStreamParams {
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    // Tools come before the system prompt in the cached prefix, so that this mark covers both.
    system: [{ type: "text", text: request.system, cache_control: { type: "ephemeral" } }],
    messages: [...request.messages],
    tools: [...request.tools],
  };
}

function turnOf(message: Anthropic.Messages.Message): TurnAnswer {
  const { usage } = message;
  const inputTokens =
    usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  const stopReason = message.stop_reason ?? "none";
  const whole = message.content.flatMap(asSent);
  // A turn that ran into its limit may hold half a call, which must not be made.
  const content = stopReason === "max_tokens" ? whole.filter((block) => block.type !== "tool_use") : whole;
  if (stopReason === "tool_use" && toolCalls(content).length === 0) {
    return { is: "lost", why: "The turn says that it calls a tool, and calls none." };
  }
  return { is: "turn", content, stopReason, inputTokens };
}

/** A received block as it is sent back: without what only answers have, and without empty text, which is refused. */
function asSent(block: Anthropic.Messages.ContentBlock): ContentBlock[] {
  if (block.type === "text") return block.text === "" ? [] : [{ type: "text", text: block.text }];
  if (block.type === "tool_use") {
    return [{ type: "tool_use", id: block.id, name: block.name, input: block.input ?? {} }];
  }
  if (block.type === "thinking" || block.type === "redacted_thinking") return [block];
  return [];
}

function failureOf(error: unknown, given: AbortSignal): TurnAnswer {
  if (given.aborted) return { is: "lost", why: (given.reason as Error).message };
  if (error instanceof APIError && typeof error.status === "number") {
    const headers = error.headers instanceof Headers ? error.headers : new Headers();
    return { is: "error", answer: { status: error.status, headers, message: saidBy(error, headers) } };
  }
  if (!(error instanceof AnthropicError)) throw error;
  const refused = causes(error).some((cause) => (cause as { code?: unknown }).code === "ECONNREFUSED");
  if (refused) return { is: "unsent", why: "Nobody listens at the gateway's address." };
  return { is: "lost", why: causes(error).map(String).join(": ") };
}

/** What an error answer says to people: not the JSON that it says it in, nor a reason that is told beside it. */
function saidBy({ status, type, apiMessage, message }: APIError, headers: Headers): string {
  if (apiMessage === null) return message;
  const reason = headers.get("x-bosun-reason");
  if (reason === null) return `${status} ${type ?? "error"}: ${apiMessage}`;
  return apiMessage.startsWith(`${reason}: `) ? apiMessage.slice(reason.length + 2) : apiMessage;
}

function causes(error: unknown): readonly object[] {
  const chain: object[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 5; cause = cause.cause) chain.push(cause);
  return chain;
}

/**
 * Aborts when not reset for `limitMs`, from the first reset on (until then the wait has a limit of its own), and when the
 * whole took an hour.
 */
function silenceWatchdog(limitMs: number, clock: Clock) {
  const giveUp = new AbortController();
  const ended = new AbortController();
  const lateMs = clock.elapsed() + requestTimeoutSeconds * 1000;
  let lastMs: number | undefined;
  const watch = async () => {
    while (lastMs !== undefined && !ended.signal.aborted) {
      const silentMs = lastMs + limitMs - clock.elapsed();
      const restMs = lateMs - clock.elapsed();
      if (silentMs <= 0)
        return giveUp.abort(new Error(`Nothing was received for ${limitMs / 1000} seconds.`));
      if (restMs <= 0)
        return giveUp.abort(new Error(`The answer took longer than ${requestTimeoutSeconds} seconds.`));
      await clock.sleep(Math.min(silentMs, restMs), ended.signal);
    }
  };
  return {
    signal: giveUp.signal,
    reset() {
      const first = lastMs === undefined;
      lastMs = clock.elapsed();
      // The sleep is ended by `end` alone, and then nothing is left to do.
      if (first) watch().catch(() => undefined);
    },
    end: () => ended.abort(),
  };
}
