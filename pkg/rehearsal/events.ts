import type {
  ContentBlock,
  Message,
  RawMessageStreamEvent,
  Usage,
} from "@anthropic-ai/sdk/resources/messages";
import type { Answer, AnswerBlock } from "./answer.ts";
import type { BilledUsage } from "./bill.ts";
import type { MessagesRequest } from "./messages.ts";
import type { InputUsage } from "./prompt-cache.ts";
import { countTokens } from "./tokens.ts";

/** One server-sent event and what has been billed once it is out. */
export interface BilledEvent {
  event: RawMessageStreamEvent | { type: "ping" };
  outputTokens: number;
  /** A delta: the pace of the scenario is kept between two of them. */
  paced: boolean;
}

/** The whole answer as a message, as for a request without `stream`. */
export function messageOf(answer: Answer, request: MessagesRequest, id: string, input: InputUsage): Message {
  const { blocks, cut } = cutToFit(answer.blocks, request.max_tokens);
  const outputTokens = answer.usage?.output ?? tokensOf(blocks);
  const message: Message = {
    id,
    type: "message",
    role: "assistant",
    model: request.model,
    content: blocks.map(contentOf),
    container: null,
    diagnostics: null,
    stop_details: null,
    stop_reason: cut
      ? "max_tokens"
      : blocks.some((block) => block.type === "tool_use")
        ? "tool_use"
        : "end_turn",
    stop_sequence: null,
    usage: usageOf({ ...input, output: outputTokens }),
  };
  if (answer.fault === undefined || !("omitUsage" in answer.fault)) return message;
  const { usage: _, ...withoutUsage } = message;
  return withoutUsage as Message;
}

/** The events of a streamed answer in their order. */
export function eventsOf(whole: Message, answer: Answer, input: InputUsage): readonly BilledEvent[] {
  const omitUsage = answer.fault !== undefined && "omitUsage" in answer.fault;
  const total = answer.usage?.output ?? tokensOf(whole.content);
  const start: Message = {
    ...whole,
    content: [],
    stop_reason: null,
    usage: usageOf({ ...input, output: Math.min(1, total) }),
  };
  const { container, stop_details, stop_reason, stop_sequence } = whole;
  const end = {
    type: "message_delta",
    delta: { container, stop_details, stop_reason, stop_sequence },
    ...(omitUsage ? {} : { usage: usageOf({ ...input, output: total }) }),
  } as RawMessageStreamEvent;
  const deltas = whole.content.map((block) => deltasOf(block, answer.pace.chunkChars));
  const deltaCount = deltas.flat().length;
  let sent = 0;
  const soFar = () => Math.max(Math.min(1, total), Math.floor((total * sent) / Math.max(1, deltaCount)));
  const body = whole.content.flatMap((block, index): BilledEvent[] => [
    unpaced({ type: "content_block_start", index, content_block: emptied(block) }, soFar()),
    ...(deltas[index] ?? []).map((delta): BilledEvent => {
      sent += 1;
      return { event: { type: "content_block_delta", index, delta }, outputTokens: soFar(), paced: true };
    }),
    unpaced({ type: "content_block_stop", index }, soFar()),
  ]);
  return [
    unpaced({ type: "message_start", message: start }, Math.min(1, total)),
    unpaced({ type: "ping" }, Math.min(1, total)),
    ...body,
    unpaced(end, total),
    unpaced({ type: "message_stop" }, total),
  ];
}

/** Usage in the API's words. */
function usageOf({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: BilledUsage): Usage {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite5m, ephemeral_1h_input_tokens: cacheWrite1h },
    inference_geo: null,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: "standard",
    speed: null,
  };
}

/** Keeps what fits: a text is cut inside, a tool call that does not fit is left out with all after it. */
function cutToFit(
  blocks: readonly AnswerBlock[],
  maxTokens: number,
): { blocks: readonly AnswerBlock[]; cut: boolean } {
  const kept: AnswerBlock[] = [];
  let left = maxTokens;
  for (const block of blocks) {
    const tokens = tokensOf([block]);
    if (tokens > left) {
      const text =
        block.type === "text"
          ? Buffer.from(block.text)
              .subarray(0, Math.floor(left * 3.6))
              .toString()
          : "";
      if (block.type === "text") kept.push({ type: "text", text: text.replace(/\uFFFD+$/, "") });
      return { blocks: kept, cut: true };
    }
    kept.push(block);
    left -= tokens;
  }
  return { blocks: kept, cut: false };
}

function tokensOf(blocks: readonly (AnswerBlock | ContentBlock)[]): number {
  return blocks.reduce((sum, block) => {
    if (block.type === "text") return sum + countTokens(block.text);
    return sum + (block.type === "tool_use" ? countTokens(JSON.stringify([block.name, block.input])) : 0);
  }, 0);
}

function contentOf(block: AnswerBlock): ContentBlock {
  if (block.type === "text") return { ...block, citations: null };
  return { ...block, caller: { type: "direct" } };
}

function emptied(block: ContentBlock): ContentBlock {
  if (block.type === "text") return { ...block, text: "" };
  return block.type === "tool_use" ? { ...block, input: {} } : block;
}

type Delta = Extract<RawMessageStreamEvent, { type: "content_block_delta" }>["delta"];

function deltasOf(block: ContentBlock, chunkChars: number): readonly Delta[] {
  if (block.type === "text")
    return chunks(block.text, chunkChars).map((text) => ({ type: "text_delta", text }));
  if (block.type !== "tool_use") return [];
  return chunks(JSON.stringify(block.input), chunkChars).map((partial_json) => ({
    type: "input_json_delta",
    partial_json,
  }));
}

/** Pieces of about `size` code points: no pair of surrogates is torn. At most 400, so that a huge answer ends. */
function chunks(text: string, size: number): readonly string[] {
  const points = [...text];
  const length = Math.max(size, Math.ceil(points.length / 400));
  return Array.from({ length: Math.ceil(points.length / length) }, (_, index) =>
    points.slice(index * length, (index + 1) * length).join(""),
  );
}

function unpaced(event: BilledEvent["event"], outputTokens: number): BilledEvent {
  return { event, outputTokens, paced: false };
}
