/** What passes the gateway: only what it can bound. Everything else is refused by name. */
import {
  type Block,
  blocksOf,
  cacheLifetimes,
  type MessagesRequest,
  nestedBlocks,
} from "./messages-request.ts";

/** A setting of the workspace: lets pass what is otherwise refused, at a price. */
export interface AdmittedField {
  /** The name that the refusal gave: `speed`, `web_search_20250305`, `url`, `document`, ... */
  field: string;
  /** By how much it can make a request dearer; at least 1. */
  priceFactor: number;
}

export type Admission =
  /** `request` is what to send. */
  { admitted: true; request: MessagesRequest; priceFactor: number } | { admitted: false; message: string };

const FIELDS = [
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "max_tokens",
  "thinking",
  "output_config",
  "context_management",
  "cache_control",
  "metadata",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
];

/** Block types whose tokens their bytes bound. `image` is bounded by count. */
const BLOCKS = ["text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking"];

/** Anthropic-defined tools that the client runs: their descriptions are the API's, and small. */
const CLIENT_TOOLS = /^(custom|(bash|text_editor|computer|memory)_\d{8})$/;

/**
 * Decides whether `body` may be forwarded to `/v1/messages` or its `count_tokens`.
 *
 * What passes is a copy with `service_tier: "standard_only"`, so that no dearer tier is chosen. `max_tokens` is asked
 * for except when `counting`.
 */
export function admit(
  body: unknown,
  { admitted = [], counting = false }: { admitted?: readonly AdmittedField[]; counting?: boolean } = {},
): Admission {
  const malformed = shapeError(body, counting);
  if (malformed !== undefined) return { admitted: false, message: malformed };
  const request = body as MessagesRequest;

  let priceFactor = 1;
  for (const { name, what } of foreignParts(request)) {
    const setting = admitted.find((one) => one.field === name);
    if (setting === undefined) {
      const message = `${what} is not forwarded: its cost can't be bounded. Leave out \`${name}\`, or admit it in the Workspace with a price factor.`;
      return { admitted: false, message };
    }
    priceFactor *= Math.max(1, setting.priceFactor);
  }
  // Counting is free and has no tiers: the API refuses the field there.
  return {
    admitted: true,
    request: counting ? request : { ...request, service_tier: "standard_only" },
    priceFactor,
  };
}

/** Each part of `request` that is not on the list, by the name that admits it. */
function* foreignParts(request: MessagesRequest): Generator<{ name: string; what: string }> {
  for (const field of Object.keys(request)) {
    if (field === "service_tier" && request[field] === "standard_only") continue;
    if (!FIELDS.includes(field)) yield { name: field, what: `The field \`${field}\`` };
  }
  for (const tool of request.tools ?? []) {
    const type = String(tool.type ?? "custom");
    if (!CLIENT_TOOLS.test(type)) yield { name: type, what: `The tool type \`${type}\`` };
  }
  for (const edit of contextEdits(request)) {
    if (!edit.startsWith("clear_")) yield { name: edit, what: `The context_management edit \`${edit}\`` };
  }
  for (const lifetime of cacheLifetimes(request)) {
    if (!["5m", "1h"].includes(lifetime))
      yield { name: lifetime, what: `The cache lifetime \`${lifetime}\`` };
  }
  for (const block of blocksOf(request)) {
    if (!BLOCKS.includes(block.type))
      yield { name: block.type, what: `A content block of type \`${block.type}\`` };
    const source = sourceType(block);
    if (source !== undefined && source !== "base64")
      yield { name: source, what: `A source of type \`${source}\`` };
  }
}

function contextEdits(request: MessagesRequest): string[] {
  const { edits } = (request.context_management ?? {}) as { edits?: unknown };
  if (edits === undefined) return [];
  return Array.isArray(edits) ? edits.map((edit) => String(edit?.type)) : [String(edits)];
}

function sourceType(block: Block): string | undefined {
  if (block.source === undefined) return undefined;
  return String((block.source as { type?: unknown } | null)?.type);
}

/** Why `body` is no Messages request at all; undefined when it is one. */
function shapeError(body: unknown, counting: boolean): string | undefined {
  if (!isRecord(body)) return "The body must be a JSON object.";
  if (typeof body.model !== "string") return "model must be a string.";
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    return "messages must be a list of at least one message.";
  for (const [i, message] of body.messages.entries()) {
    if (!isRecord(message)) return `messages.${i} must be an object.`;
    const wrong = contentError(message.content, `messages.${i}.content`);
    if (wrong !== undefined) return wrong;
  }
  if (body.system !== undefined) {
    const wrong = contentError(body.system, "system");
    if (wrong !== undefined) return wrong;
  }
  if (body.tools !== undefined && !(Array.isArray(body.tools) && body.tools.every(isRecord))) {
    return "tools must be a list of objects.";
  }
  if (!counting && !(Number.isSafeInteger(body.max_tokens) && (body.max_tokens as number) >= 1)) {
    return "max_tokens must be a whole number of at least 1.";
  }
  return undefined;
}

function contentError(content: unknown, where: string): string | undefined {
  if (typeof content === "string") return undefined;
  if (!Array.isArray(content)) return `${where} must be a string or a list of content blocks.`;
  for (const block of nestedBlocks(content)) {
    if (!isRecord(block) || typeof block.type !== "string") return `${where} must hold objects with a type.`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
