/** A transcript's entries as a person reads them. */
import type { ContentBlock } from "../../../pkg/session/runner/blocks.ts";
import type { StampedEntry } from "../../../pkg/session/transcript.ts";

/** Lines of a tool's result or an operator's message that are shown. */
const linesMax = 12;

/** One line of a transcript as lines for a terminal; nothing for what only the machine needs. */
export function entryLines(entry: StampedEntry): string[] {
  const time = entry.at.slice(11, 19);
  switch (entry.type) {
    case "message":
      return stamped(time, `operator, run ${entry.run}`, entry.text);
    case "nudge":
    case "restart":
    case "remade":
      return stamped(time, "operator", entry.text);
    case "assistant":
      return entry.content.flatMap((block) => blockLines(time, block));
    case "lost":
      return [`${time} ! a turn was lost and asked again: ${entry.why}`];
    case "done":
      return stamped(time, entry.isError ? "failed" : "result", entry.content);
    case "intended":
      return [];
  }
}

function blockLines(time: string, block: ContentBlock): string[] {
  if (block.type === "text") return stamped(time, "agent", block.text, Number.POSITIVE_INFINITY);
  if (block.type === "tool_use") return stamped(time, block.name, callText(block.input));
  return [];
}

/** What a tool is called with: its command where it has one, else its input as JSON. */
function callText(input: unknown): string {
  const { command } = (input ?? {}) as { command?: unknown };
  return typeof command === "string" ? command : JSON.stringify(input);
}

function stamped(time: string, who: string, text: string, max = linesMax): string[] {
  const lines = text.trimEnd().split("\n");
  const shown = lines
    .slice(0, max)
    .map((line, index) => (index === 0 ? `${time} ${who}: ${line}` : `    ${line}`));
  return lines.length > max ? [...shown, `    ... ${lines.length - max} more lines`] : shown;
}
