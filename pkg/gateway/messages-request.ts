/** The parts of a Messages API request body that the gateway reads. Whatever has this type has passed admission. */
import type { CacheLifetime } from "./usage.ts";

export interface MessagesRequest {
  model: string;
  messages: readonly Message[];
  max_tokens: number;
  system?: string | readonly Block[];
  tools?: readonly Record<string, unknown>[];
  stream?: boolean;
  [field: string]: unknown;
}

export interface Message {
  role: string;
  content: string | readonly Block[];
}

export interface Block {
  type: string;
  [field: string]: unknown;
}

/** Each block of `messages` and `system`, those inside of tool results too. */
export function* blocksOf(request: Pick<MessagesRequest, "messages" | "system">): Generator<Block> {
  yield* nestedBlocks(request.system);
  for (const message of request.messages) yield* nestedBlocks(message.content);
}

/** `content` and the blocks within it. */
export function* nestedBlocks(content: unknown): Generator<Block> {
  if (!Array.isArray(content)) return;
  for (const block of content) {
    yield block;
    yield* nestedBlocks(block.content);
  }
}

/** The longest-lived cache the request may write to; undefined when it has no `cache_control`. */
export function cacheLifetimeOf(request: MessagesRequest): CacheLifetime | undefined {
  const lifetimes = cacheLifetimes(request);
  if (lifetimes.length === 0) return undefined;
  return lifetimes.every((lifetime) => lifetime === "5m") ? "5m" : "1h";
}

/** The `ttl` of each `cache_control`; `5m` where it has none, as the API has it. */
export function cacheLifetimes(request: MessagesRequest): string[] {
  const controls = [request.cache_control];
  for (const block of blocksOf(request)) controls.push(block.cache_control);
  for (const tool of request.tools ?? []) controls.push(tool.cache_control);
  return controls
    .filter((control) => typeof control === "object" && control !== null)
    .map((control) => String((control as { ttl?: unknown }).ttl ?? "5m"));
}

/**
 * Blocks and tools without their `cache_control`, at every depth where the API allows one; other values as they are, and
 * lists themselves where there is none.
 */
export function withoutCacheControl(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.map(itemWithoutCacheControl);
  return items.every((item, at) => item === value[at]) ? value : items;
}

function itemWithoutCacheControl(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { cache_control: _, ...rest } = item as Block;
  const content = withoutCacheControl(rest.content);
  if (content !== rest.content) return { ...rest, content };
  return "cache_control" in item ? rest : item;
}

/** `request` as it asks for the same answer and writes to no cache. */
export function withoutCaching(request: MessagesRequest): MessagesRequest {
  const { cache_control: _, ...rest } = request;
  const plain: MessagesRequest = {
    ...rest,
    messages: request.messages.map((message) => ({
      ...message,
      content: withoutCacheControl(message.content) as Message["content"],
    })),
  };
  if (request.system !== undefined)
    plain.system = withoutCacheControl(request.system) as NonNullable<MessagesRequest["system"]>;
  if (request.tools !== undefined)
    plain.tools = withoutCacheControl(request.tools) as NonNullable<MessagesRequest["tools"]>;
  return plain;
}

/** The part of `max_tokens` that thinking may take, in tokens; the API wants it below `max_tokens`. */
export function thinkingBudget({ thinking }: MessagesRequest): number {
  const { budget_tokens: budget } = (thinking ?? {}) as { budget_tokens?: unknown };
  return typeof budget === "number" ? budget : 0;
}

/** `message` as JSON, made once: its bytes bound its tokens, and it is what is known again in the next request. */
export function textOf(message: Message): string {
  const text = texts.get(message) ?? JSON.stringify(message);
  texts.set(message, text);
  return text;
}

const texts = new WeakMap<Message, string>();

/** Bytes of `request` as JSON in UTF-8. */
export function bytesOfRequest(request: MessagesRequest): number {
  const around = Buffer.byteLength(JSON.stringify({ ...request, messages: [] }));
  return around - "[]".length + bytesOfMessages(request.messages);
}

/** Bytes of `messages` as JSON in UTF-8. */
export function bytesOfMessages(messages: readonly Message[]): number {
  const commas = Math.max(0, messages.length - 1);
  return messages.reduce((sum, message) => sum + Buffer.byteLength(textOf(message)), "[]".length + commas);
}

/** How many of a request's bytes are the data of `images`: those are bounded by count, not by size. */
export function imageBytes(images: readonly Block[]): number {
  return images.reduce((sum, image) => sum + dataBytes(image), 0);
}

function dataBytes(image: Block): number {
  const { data } = (image.source ?? {}) as { data?: unknown };
  // As JSON: base64 has no character that JSON escapes, but nothing here has checked that it is base64.
  return typeof data === "string" ? Buffer.byteLength(JSON.stringify(data)) - 2 : 0;
}
