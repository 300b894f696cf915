import { blocksOf, type MessagesRequest, textOf } from "./messages.ts";
import type { Pattern } from "./pattern.ts";

/** What the session is for, told by the tools it offers. */
export type Purpose = "execute" | "review" | "other";

/** A request as scenarios see it. Everything here comes from the request alone: the upstream remembers nothing. */
export interface Conversation {
  purpose: Purpose;
  model: string;
  system: string;
  tools: readonly string[];
  /** The first text of the user. */
  opening: string;
  /** The newest text of the user that sets work: the opening, or what asked for rework. */
  brief: string;
  /** 1, and one more for each text that asked for rework; or the cycle that such a text names, when that is more. */
  attempt: number;
  /** The newest text of the user, whatever it is. */
  lastUser: string;
  /** The assistant's turns since the brief, oldest first. */
  turns: readonly Turn[];
  /** The assistant's turns in the whole conversation. */
  turnCount: number;
}

export interface Turn {
  text: string;
  calls: readonly Call[];
}

export interface Call {
  id: string;
  tool: string;
  result?: CallResult;
}

export interface CallResult {
  text: string;
  failed: boolean;
}

/**
 * Reads a valid request. A text of the user starts a new attempt when `rework` matches it; other texts (a nudge, a
 * note at resume) belong to the attempt they come in. Group 1 of `rework` may find the number of the cycle: an agent
 * that takes over from another has not seen the earlier ones.
 */
export function conversation(request: MessagesRequest, rework: Pattern): Conversation {
  const tools = (request.tools ?? []).map((tool) => tool.name);
  const results = resultsById(request);
  const seen = { opening: "", brief: "", lastUser: "", attempt: 1, turnCount: 0 };
  let turns: Turn[] = [];
  for (const message of request.messages) {
    if (message.role === "assistant") {
      seen.turnCount += 1;
      turns.push({ text: textOf(message.content), calls: callsOf(message.content, results) });
    } else if (message.role === "user") {
      const text = textOf(message.content);
      if (text === "") continue;
      seen.lastUser = text;
      const isOpening = seen.brief === "";
      if (isOpening) seen.opening = text;
      const cycle = rework.first(text);
      if (cycle !== undefined) seen.attempt = Math.max(seen.attempt + 1, Number(cycle) || 0);
      else if (!isOpening) continue;
      seen.brief = text;
      turns = [];
    }
  }
  return {
    ...seen,
    purpose: purposeOf(tools),
    model: request.model,
    system: textOf(request.system),
    tools,
    turns,
  };
}

/** The newest results first, of all calls since the brief. */
export function resultsSinceBrief(talk: Conversation): readonly CallResult[] {
  return talk.turns
    .flatMap((turn) => turn.calls)
    .flatMap((call) => (call.result === undefined ? [] : [call.result]))
    .reverse();
}

function purposeOf(tools: readonly string[]): Purpose {
  if (tools.includes("submit_review")) return "review";
  if (tools.includes("request_review")) return "execute";
  return "other";
}

function resultsById(request: MessagesRequest): Map<string, CallResult> {
  const results = new Map<string, CallResult>();
  for (const message of request.messages) {
    for (const block of blocksOf(message.content)) {
      if (block.type !== "tool_result" || block.tool_use_id === undefined) continue;
      results.set(block.tool_use_id, { text: textOf(block.content), failed: block.is_error === true });
    }
  }
  return results;
}

function callsOf(content: Parameters<typeof blocksOf>[0], results: Map<string, CallResult>): Call[] {
  return blocksOf(content)
    .filter((block) => block.type === "tool_use")
    .map((block) => {
      const id = block.id ?? "";
      const result = results.get(id);
      return { id, tool: block.name ?? "", ...(result === undefined ? {} : { result }) };
    });
}
