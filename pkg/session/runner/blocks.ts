/** The parts of the Messages API that a transcript keeps; the SDK's own types, narrowed to what can occur. */
import type Anthropic from "@anthropic-ai/sdk";

export type ContentBlock = Anthropic.Messages.ContentBlockParam;
export type ToolCall = Anthropic.Messages.ToolUseBlockParam;
export type MessageParam = Anthropic.Messages.MessageParam;

/** The tool calls of a turn, in order. */
export function toolCalls(content: readonly ContentBlock[]): readonly ToolCall[] {
  return content.filter((block): block is ToolCall => block.type === "tool_use");
}
