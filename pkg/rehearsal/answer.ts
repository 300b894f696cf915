import type { Fault, Pace, UsageSpec } from "./scenario.ts";

/** What the rehearsal says to one request, before it is cut to `max_tokens` and billed. */
export interface Answer {
  scenario: string;
  step: string;
  blocks: readonly AnswerBlock[];
  pace: Required<Pace>;
  delayMs: number;
  fault?: Fault;
  usage?: UsageSpec;
}

export type AnswerBlock =
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown };
