/** A scenario as its file has it; `docs/rehearsal.md` explains each field, `scenario-schema.ts` checks them. */
export interface Scenario {
  scenario: string;
  about: string;
  /** Higher is asked first; 0 by default, the built-in defaults have -100. */
  priority?: number;
  match: Match;
  /** What in a user text starts another attempt. */
  rework?: string;
  capture?: Readonly<Record<string, CaptureSpec>>;
  pace?: Pace;
  steps?: readonly Step[];
  /** Steps by attempt; further attempts play the last. */
  attempts?: readonly { steps: readonly Step[] }[];
}

/** All given conditions must hold. */
export interface Match {
  purpose?: "execute" | "review" | "other";
  model?: string;
  system?: string;
  opening?: string;
  brief?: string;
  lastUser?: string;
  lastToolResult?: string;
  tools?: readonly string[];
  /** Assistant turns in the conversation so far. */
  turnAtLeast?: number;
  turnAtMost?: number;
}

export interface CaptureSpec {
  from: "opening" | "brief" | "system" | "lastToolResult";
  /** Group 1 of the first match, or the whole match. */
  first?: string;
  /** Every match as a list; named groups become the items' fields. */
  all?: string;
  /** The value when nothing matches. */
  otherwise?: string;
}

export interface Pace {
  /** Before the first event, in milliseconds. */
  firstMs?: number;
  /** Between two deltas, in milliseconds. */
  chunkMs?: number;
  /** Of one delta, in characters. */
  chunkChars?: number;
}

export interface Step {
  step: string;
  when?: When;
  /** Plays the step once for each item of this capture, named `item` in it. */
  forEach?: string;
  text?: string;
  calls?: readonly { tool: string; input: Readonly<Record<string, unknown>> }[];
  judge?: Judge;
  usage?: UsageSpec;
  delayMs?: number;
  fault?: Fault;
  /** Lengthens the text to about so many tokens; `max_tokens` cuts it as it cuts a real answer. */
  padTokens?: number;
  repeat?: "Forever";
  /** After a failed call: go on with the next step (the default), or play this one again, three times at most. */
  onError?: "Continue" | "Repeat";
}

/** When a step is played; else it is passed over. */
export interface When {
  have?: string;
  lastToolResult?: string;
  anyToolResult?: string;
  noToolResult?: string;
}

/** Fixed usage instead of the counted one, in tokens. */
export interface UsageSpec {
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite5m?: number;
  cacheWrite1h?: number;
}

/** What goes wrong. `times`: how often for one and the same request before it is answered; without it, always. */
export type Fault = { times?: number } & (
  | { status: number; retryAfterSeconds?: number; usageResetSeconds?: number; message?: string }
  | { cutAfterEvents: number }
  | { hangAfterEvents: number }
  | { omitUsage: true }
);

/** Rules by which a reviewer judges what it is shown. */
export interface Judge {
  criteria?: readonly CriterionRule[];
  rules?: readonly Rule[];
}

export interface CriterionRule {
  /** Matches the criterion's text. */
  about: string;
  /** Where it must be seen to be met. */
  shownBy: { diff?: string; result?: string };
  /** What to tell the author when it is not. */
  otherwise: string;
}

export interface Rule {
  when: {
    diff?: string;
    diffLacks?: string;
    result?: string;
    resultLacks?: string;
    checks?: "Passed" | "Failed" | "None";
  };
  standard: "TestsPass" | "LintClean" | "NoSecurityIssue" | "CriteriaMet" | "Documented";
  finding: string;
}
