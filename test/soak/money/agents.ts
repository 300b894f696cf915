/** Ten agents that spend as fast as they are let: the real SDK with its retries, long contexts, parallel requests. */
import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { HOST_HEADER, type SessionGrant, TURN_HEADER } from "../../../pkg/gateway/money.ts";
import type { Operator } from "./operator.ts";

export interface AgentsOptions {
  operator: Operator;
  random: () => number;
  /** Bytes that each turn adds to a conversation, at most. */
  addedBytesMax: number;
  /** Bytes that a conversation begins with, at most. */
  firstBytesMax: number;
  /** Calls that never behave: abandoned in the middle, in parallel, with caches of all lifetimes. */
  wild: boolean;
}

export interface Agents {
  answers: number;
  /** Refusals and failures, by status and reason. */
  failures: Map<string, number>;
  /** Tokens of the longest prompt that was answered. */
  longestPrompt: number;
  /** Agents that were refused for want of money since they last had an answer. */
  refused: ReadonlySet<number>;
  end(): Promise<void>;
}

/** Contexts grow to this many tokens, and stay there when `wild` is not asked for. */
const CONTEXT_TOKENS_MAX = 150_000;

type Message = { role: "user" | "assistant"; content: string | Anthropic.ContentBlockParam[] };

/** Ten agents, numbered from 1. They call themselves `<name>-<number>`. */
export async function startAgents(name: string, options: AgentsOptions): Promise<Agents> {
  const ending = new AbortController();
  const refused = new Set<number>();
  const agents: Agents = {
    answers: 0,
    failures: new Map(),
    longestPrompt: 0,
    refused,
    async end() {
      ending.abort();
      await Promise.all(running);
    },
  };
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  const running: Promise<void>[] = [];
  for (const number of numbers) await startAgent(number);
  return agents;

  async function startAgent(number: number): Promise<void> {
    const host = `${name}-${number}`;
    const { url, token } = await options.operator.admit(sessionOf(host, number));
    const client = new Anthropic({ baseURL: url, apiKey: token, maxRetries: 2, timeout: 60_000 });
    running.push(work({ client, host, number }));
  }

  async function work({
    client,
    host,
    number,
  }: {
    client: Anthropic;
    host: string;
    number: number;
  }): Promise<void> {
    const { random, wild } = options;
    let turn = 0;
    let messages = begun();
    const ask = async (asked: Message[]): Promise<Anthropic.Message> => {
      turn += 1;
      const leaving = new AbortController();
      const signal = AbortSignal.any([ending.signal, leaving.signal]);
      if (wild && random() < 0.04) setTimeout(() => leaving.abort(), random() * 300);
      const body: Anthropic.MessageCreateParamsNonStreaming = {
        model: "claude-sonnet-5-5",
        max_tokens: wild ? Math.ceil(16_000 * random()) : 8_000,
        system: "You are an agent of a soak.",
        messages: marked(asked),
        metadata: { user_id: `${host}/${turn}` },
      };
      const headers = { [TURN_HEADER]: String(turn), [HOST_HEADER]: host };
      if (wild && random() < 0.2) return client.messages.create(body, { headers, signal });
      return client.messages.stream(body, { headers, signal }).finalMessage();
    };
    while (!ending.signal.aborted) {
      try {
        const alone = [...messages];
        if (wild && random() < 0.1) void ask(begun()).catch(count);
        const { content, usage } = await ask(messages);
        // Whatever the SDK's types say: this upstream leaves it out at times.
        if (usage === undefined)
          throw Object.assign(new Error("An answer without usage."), { name: "NoUsage" });
        agents.answers += 1;
        refused.delete(number);
        const prompt =
          usage.input_tokens +
          (usage.cache_read_input_tokens ?? 0) +
          (usage.cache_creation_input_tokens ?? 0);
        agents.longestPrompt = Math.max(agents.longestPrompt, prompt);
        messages.push(
          { role: "assistant", content },
          { role: "user", content: textOf(options.addedBytesMax) },
        );
        if (prompt > CONTEXT_TOKENS_MAX - options.addedBytesMax / 4) messages = wild ? begun() : alone;
      } catch (error) {
        count(error);
        const { status, headers } = error as { status?: number; headers?: Headers };
        if (status === 402 && headers?.get("x-bosun-reason") === "BudgetExceeded") refused.add(number);
        if (wild && random() < 0.1) messages = begun();
        await sleep(50 + 250 * random());
      }
    }
  }

  function begun(): Message[] {
    return [{ role: "user", content: textOf(options.firstBytesMax) }];
  }

  /** Text that was never said before. */
  function textOf(bytesMax: number): Anthropic.ContentBlockParam[] {
    const { random, wild } = options;
    const bytes = wild ? Math.ceil(bytesMax * random()) : bytesMax;
    return [{ type: "text", text: `${random()} `.repeat(Math.ceil(bytes / 18)).slice(0, bytes) }];
  }

  /** With a cache breakpoint at its end, mostly of 5 minutes. */
  function marked(messages: Message[]): Message[] {
    const last = messages.at(-1);
    const dice = options.wild ? options.random() : 1;
    if (last === undefined || dice < 0.2 || typeof last.content === "string") return messages;
    const block = last.content.at(-1) as Anthropic.TextBlockParam;
    const cache_control = { type: "ephemeral" as const, ...(dice < 0.3 ? { ttl: "1h" as const } : {}) };
    return [
      ...messages.slice(0, -1),
      { ...last, content: [...last.content.slice(0, -1), { ...block, cache_control }] },
    ];
  }

  function count(error: unknown): void {
    if (ending.signal.aborted) return;
    const { status, headers, name } = error as { status?: number; headers?: Headers; name: string };
    const what = status === undefined ? name : `${status} ${headers?.get("x-bosun-reason") ?? ""}`.trim();
    agents.failures.set(what, (agents.failures.get(what) ?? 0) + 1);
  }
}

function sessionOf(session: string, number: number): SessionGrant {
  return {
    session,
    run: 1,
    agent: `agent-${number}`,
    pool: "p",
    project: `project-${number}`,
    purpose: number > 8 ? "review" : "execute",
    maxOutputTokens: 16_000,
    labels: { team: number % 2 === 0 ? "red" : "blue" },
  };
}
