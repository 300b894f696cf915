import type { Answer, AnswerBlock } from "./answer.ts";
import { type Conversation, conversation, resultsSinceBrief } from "./conversation.ts";
import { judge } from "./judge.ts";
import { mark, markInput } from "./mark.ts";
import type { MessagesRequest } from "./messages.ts";
import { pattern } from "./pattern.ts";
import type { CaptureSpec, Match, Scenario, Step, When } from "./scenario.ts";
import { type Captures, type Item, listOf, render, renderText } from "./template.ts";

/**
 * The answer to a request, decided from the request alone: which step is next is read from the ids of the tool calls
 * in the conversation. A restarted upstream or a resumed session therefore goes on where the conversation is.
 *
 * @param asked - how often this very request was asked before: only faults that pass depend on it
 */
export function play(scenarios: readonly Scenario[], request: MessagesRequest, asked: number): Answer {
  for (const scenario of scenarios) {
    const talk = conversation(request, pattern(scenario.rework ?? DEFAULT_REWORK));
    if (matches(scenario.match, talk)) return playScenario(scenario, talk, asked);
  }
  const text = mark("No scenario matches this request.");
  return { scenario: "none", step: "none", blocks: [{ type: "text", text }], pace: DEFAULT_PACE, delayMs: 0 };
}

/** What the prompt for rework says; a scenario may name another pattern. */
const DEFAULT_REWORK = "(?i)^[#*\\s]*review feedback(?: \\(cycle (\\d+))?";
const DEFAULT_PACE = { firstMs: 60, chunkMs: 6, chunkChars: 24 };
/** How often a step whose outcome is unknown or wrong is played before the next one is. */
const PLAYS_MAX = 3;

function matches(match: Match, talk: Conversation): boolean {
  const says = (source: string | undefined, text: string) =>
    source === undefined || pattern(source).test(text);
  return (
    (match.purpose === undefined || match.purpose === talk.purpose) &&
    (match.tools ?? []).every((tool) => talk.tools.includes(tool)) &&
    talk.turnCount >= (match.turnAtLeast ?? 0) &&
    talk.turnCount <= (match.turnAtMost ?? Number.POSITIVE_INFINITY) &&
    says(match.model, talk.model) &&
    says(match.system, talk.system) &&
    says(match.opening, talk.opening) &&
    says(match.brief, talk.brief) &&
    says(match.lastUser, talk.lastUser) &&
    says(match.lastToolResult, resultsSinceBrief(talk)[0]?.text ?? "")
  );
}

function playScenario(scenario: Scenario, talk: Conversation, asked: number): Answer {
  const captures: Captures = { ...captureAll(scenario.capture ?? {}, talk), attempt: String(talk.attempt) };
  const script = scriptOf(stepsOf(scenario, talk.attempt), captures);
  const from = nextIndex(script, talk);
  const due = script.slice(from).find(({ step, captures: own }) => isDue(step, own, talk, asked));
  const pace = { ...DEFAULT_PACE, ...scenario.pace };
  if (due === undefined) {
    const text = mark("Nothing is left to do.");
    return { scenario: scenario.scenario, step: "end", blocks: [{ type: "text", text }], pace, delayMs: 0 };
  }
  const { step } = due;
  const fault = faultNow(step, asked);
  return {
    scenario: scenario.scenario,
    step: due.key,
    blocks: blocksFor(due, talk),
    pace,
    delayMs: step.delayMs ?? 0,
    ...(fault === undefined ? {} : { fault }),
    ...(step.usage === undefined ? {} : { usage: step.usage }),
  };
}

function stepsOf({ steps, attempts }: Scenario, attempt: number): readonly Step[] {
  return steps ?? attempts?.[Math.min(attempt, attempts.length) - 1]?.steps ?? [];
}

/** One entry of the script: a step, or a step for one item of its list. */
interface Entry {
  key: string;
  step: Step;
  captures: Captures;
}

function scriptOf(steps: readonly Step[], captures: Captures): readonly Entry[] {
  return steps.flatMap((step): Entry[] => {
    if (step.forEach === undefined) return [{ key: step.step, step, captures }];
    return listOf(captures, step.forEach).map((item, index) => ({
      key: `${step.step}--${index + 1}`,
      step,
      captures: { ...captures, item: [item] },
    }));
  });
}

/** Where to go on: after the entry played last, or at it when its outcome is unknown or it has to be repeated. */
function nextIndex(script: readonly Entry[], talk: Conversation): number {
  const played = talk.turns.map((turn) => ({
    turn,
    index: script.findIndex((entry) => isTurnOf(entry, turn, talk)),
  }));
  const last = played.findLast(({ index }) => index !== -1);
  const entry = script[last?.index ?? -1];
  if (last === undefined || entry === undefined) return 0;
  if (entry.step.repeat === "Forever") return last.index;
  const failed = last.turn.calls.some(
    ({ result }) =>
      result?.failed && (entry.step.onError === "Repeat" || /outcome unknown/i.test(result.text)),
  );
  const plays = played.filter(({ index }) => index === last.index).length;
  return failed && plays < PLAYS_MAX ? last.index : last.index + 1;
}

function isTurnOf(entry: Entry, turn: Conversation["turns"][number], talk: Conversation): boolean {
  if (turn.calls.length > 0) return turn.calls.some(({ id }) => stepOfCallId(id) === entry.key);
  const [only, ...more] = blocksFor(entry, talk);
  // A text that `max_tokens` cut is still this step's.
  return only?.type === "text" && more.length === 0 && turn.text !== "" && only.text.startsWith(turn.text);
}

function isDue(step: Step, captures: Captures, talk: Conversation, asked: number): boolean {
  if (step.when !== undefined && !holds(step.when, captures, talk)) return false;
  const saysSomething = step.text ?? step.calls ?? step.judge ?? step.padTokens;
  return saysSomething !== undefined || faultNow(step, asked) !== undefined;
}

function holds(when: When, captures: Captures, talk: Conversation): boolean {
  const results = resultsSinceBrief(talk).map((result) => result.text);
  const found = (source: string) => results.some((text) => pattern(source).test(text));
  return (
    (when.have === undefined || (captures[when.have]?.length ?? 0) > 0) &&
    (when.lastToolResult === undefined || pattern(when.lastToolResult).test(results[0] ?? "")) &&
    (when.anyToolResult === undefined || found(when.anyToolResult)) &&
    (when.noToolResult === undefined || !found(when.noToolResult))
  );
}

function faultNow({ fault }: Step, asked: number): Step["fault"] {
  return fault !== undefined && asked < (fault.times ?? Number.POSITIVE_INFINITY) ? fault : undefined;
}

function blocksFor({ key, step, captures }: Entry, talk: Conversation): readonly AnswerBlock[] {
  const text = padded(
    step.text === undefined ? "" : mark(renderText(step.text, captures)),
    step.padTokens ?? 0,
  );
  const calls =
    step.judge === undefined
      ? (step.calls ?? [])
      : [{ tool: "submit_review", input: judge(render(step.judge, captures) as typeof step.judge, talk) }];
  return [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...calls.map(({ tool, input }, index) => ({
      type: "tool_use" as const,
      id: callId(key, talk.turnCount, index),
      name: tool,
      input: markInput(step.judge === undefined ? render(input, captures) : input),
    })),
  ];
}

function callId(key: string, turn: number, index: number): string {
  return `toolu_rehearsal_${key}_${turn}_${index}`;
}

function stepOfCallId(id: string): string | undefined {
  return /^toolu_rehearsal_([a-z0-9-]+)_\d+_\d+$/.exec(id)?.[1];
}

function padded(text: string, tokens: number): string {
  const line = "\n[rehearsal] A long answer goes on and on, and says the same thing again.";
  return text + line.repeat(Math.ceil((tokens * 3.6) / line.length));
}

function captureAll(specs: Readonly<Record<string, CaptureSpec>>, talk: Conversation): Captures {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, capture(spec, talk)]));
}

function capture(spec: CaptureSpec, talk: Conversation): Captures[string] {
  const source = spec.from === "lastToolResult" ? (resultsSinceBrief(talk)[0]?.text ?? "") : talk[spec.from];
  if (spec.all !== undefined) {
    const items = pattern(spec.all)
      .all(source)
      .map(({ text, groups }): Item => ({ text, ...groups }));
    // A task or criterion may be named again further down: its id counts once.
    return items.filter(
      ({ id }, index) => id === undefined || items.findIndex((item) => item.id === id) === index,
    );
  }
  return pattern(spec.first ?? "").first(source) ?? spec.otherwise ?? "";
}
