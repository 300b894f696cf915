import type { ContentBlock, MessageParam } from "./blocks.ts";

/** Longest tool result a model is shown, in characters. */
const toolOutputLimit = 30_000;

/** Size at which old tool results are cleared, in characters of JSON; roughly 120,000 tokens. */
const contextLimit = 420_000;

const cleared = "[An old result, removed to keep the context small. Call the tool again if it is needed.]";

/** `text`, or its beginning and end with a line between them that says how much is missing. */
export function cutMiddle(text: string, limit: number = toolOutputLimit): string {
  if (text.length <= limit) return text;
  const head = text.slice(0, Math.floor(limit / 2));
  const tail = text.slice(text.length - Math.floor(limit / 2));
  return `${head}\n[... ${text.length - head.length - tail.length} characters left out ...]\n${tail}`;
}

/**
 * The messages with the oldest tool results cleared, so that they stay below `limit` characters.
 *
 * Each time the limit is passed, results are cleared down to half of it, as if decided when that message was
 * added: between two clearings the beginning stays as it was, and with it the prompt cache.
 */
export function withinContext(
  messages: readonly MessageParam[],
  limit: number = contextLimit,
): MessageParam[] {
  const kept = messages.map((message) => ({ ...message }));
  const sizes = kept.map((message) => JSON.stringify(message).length);
  let size = 0;
  let oldest = 0;
  for (let newest = 0; newest < kept.length; newest++) {
    size += sizes[newest] ?? 0;
    if (size <= limit) continue;
    for (; size > limit / 2 && oldest < newest; oldest++) {
      const message = kept[oldest];
      if (message === undefined || typeof message.content === "string") continue;
      message.content = message.content.map(withoutResult);
      const now = JSON.stringify(message).length;
      size -= (sizes[oldest] ?? 0) - now;
      sizes[oldest] = now;
    }
  }
  return kept;
}

function withoutResult(block: ContentBlock): ContentBlock {
  if (block.type !== "tool_result" || JSON.stringify(block.content ?? "").length <= cleared.length)
    return block;
  return { ...block, content: cleared };
}

/** Marks the end of the last message for the prompt cache; the next turn begins with all up to here. */
export function withCacheMark(messages: readonly MessageParam[]): MessageParam[] {
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content === "string") return [...messages];
  const block = last.content.at(-1);
  if (block === undefined || (block.type !== "text" && block.type !== "tool_result")) return [...messages];
  const marked: ContentBlock = { ...block, cache_control: { type: "ephemeral" } };
  const ending: MessageParam = { role: "user", content: [...last.content.slice(0, -1), marked] };
  return [...messages.slice(0, -1), ending];
}
