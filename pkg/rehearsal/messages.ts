/** The part of the Messages API that the rehearsal reads; `request-schema.ts` checks that a body has this shape. */

export interface MessagesRequest {
  model: string;
  max_tokens: number;
  messages: readonly RequestMessage[];
  system?: string | readonly RequestBlock[];
  tools?: readonly { name: string; [field: string]: unknown }[];
  stream?: boolean;
  [field: string]: unknown;
}

export interface RequestMessage {
  role: "user" | "assistant" | "system";
  content: string | readonly RequestBlock[];
}

export interface RequestBlock {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string | readonly RequestBlock[];
  is_error?: boolean;
  cache_control?: { type: "ephemeral"; ttl?: "5m" | "1h" } | null;
  [field: string]: unknown;
}

/** The content as blocks, whichever of the two forms it came in. */
export function blocksOf(content: string | readonly RequestBlock[] | undefined): readonly RequestBlock[] {
  if (content === undefined) return [];
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** The text blocks' text, one to a line. */
export function textOf(content: string | readonly RequestBlock[] | undefined): string {
  return blocksOf(content)
    .filter((block) => block.type === "text")
    .map((block) => block.text ?? "")
    .join("\n");
}
