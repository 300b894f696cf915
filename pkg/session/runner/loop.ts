import type { Clock, Random } from "../../runtime/clock.ts";
import type { Outcome, SessionSpec } from "../sessions.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import type { Transcript } from "../transcript.ts";
import { cutMiddle, withCacheMark, withinContext } from "./bounds.ts";
import {
  checkoutOf,
  entriesOfAttempt,
  entriesOfRun,
  lossesInARow,
  messagesOf,
  nudgesInARow,
  outcomeOf,
  type PendingCall,
  pendingCalls,
  turnsOf,
} from "./conversation.ts";
import { answerTimeoutSeconds, type Model, type TurnAnswer } from "./model.ts";
import { backoffMs, verdictOn } from "./retry.ts";

/** What the loop tells about itself while it runs. */
export interface Progress {
  /** Something may take up to `limitMs`; until it ends the session is busy. */
  during<T>(limitMs: number, work: () => Promise<T>): Promise<T>;
  /** The loop turned. */
  beat(): void;
  /** The transcript has grown by a turn or a result. */
  turned(): void;
  /** Several answers in a row refused, the newest with this; undefined: there was another one. Until then is no work. */
  refused(why: string | undefined): void;
}

export interface LoopOptions {
  spec: SessionSpec;
  transcript: Transcript;
  model: Model;
  toolbox: Toolbox;
  clock: Clock;
  random: Random;
  progress: Progress;
  /** How an earlier host ended this very run without finishing it; undefined after a crash or at the first start. */
  failure: (Outcome & { kind: "Failed" }) | undefined;
  /** The checkout's commit, for the opening of a run. */
  head(): Promise<string | undefined>;
  /** Whether someone asked to stop after the turn in hand. */
  pauseRequested(): boolean;
}

/** So many answers in a row may not arrive whole. */
const lossesMax = 3;
/** From so many refusals in a row on people are told. */
const refusalsTold = 3;
/** So often in a row the model is asked to go on. */
const nudgesMax = 3;

/**
 * Runs `spec.run` to its outcome, from wherever its transcript stands. The transcript is the whole state: each
 * step is decided from it and ends by adding to it, so that a crash between two steps costs nothing.
 */
export async function runLoop(options: LoopOptions): Promise<Outcome> {
  await openRun(options);
  for (;;) {
    options.progress.beat();
    const { transcript, spec } = options;
    for (const pending of pendingCalls(transcript.entries)) {
      if (outcomeOf(entriesOfRun(transcript.entries, spec.run)) !== undefined) break;
      await settleCall(pending, options);
    }
    const run = entriesOfRun(transcript.entries, spec.run);
    const outcome = outcomeOf(run) ?? limitReached(options);
    if (outcome !== undefined) return outcome;
    if (options.pauseRequested()) {
      return { kind: "Paused", reason: "Requested", message: `Asked to stop after turn ${turnsOf(run)}.` };
    }
    const failure = await takeTurn(options);
    if (failure !== undefined) return failure;
  }
}

/**
 * Writes the message that opens the run, unless an earlier host did; a failed run is told to go on. Whose checkout is
 * another than the conversation was about is told so, once.
 */
async function openRun({ spec, transcript, failure, head }: LoopOptions): Promise<void> {
  const isOpen = entriesOfRun(transcript.entries, spec.run).length > 0;
  const known = checkoutOf(transcript.entries);
  const remadeAs = known !== undefined && known !== spec.checkoutId ? spec.checkoutId : undefined;
  if (!isOpen || remadeAs !== undefined)
    for (const { call } of pendingCalls(transcript.entries)) {
      const what = isOpen ? "The checkout was lost" : "The run ended";
      const content = `${what} before this call's outcome was known. Look before repeating it.`;
      transcript.append({ type: "done", call: call.id, content, isError: true });
    }
  if (!isOpen) {
    const commit = await head();
    transcript.append({
      type: "message",
      run: spec.run,
      text: spec.message,
      ...(commit === undefined ? {} : { head: commit }),
      ...(known !== undefined || spec.checkoutId === undefined ? {} : { checkout: spec.checkoutId }),
    });
  } else if (failure !== undefined) {
    const text = `The session had ended: ${failure.message} It goes on now. Look at the checkout, then continue.`;
    transcript.append({ type: "restart", text });
  }
  if (remadeAs !== undefined) transcript.append({ type: "remade", checkout: remadeAs, text: remadeText });
}

const remadeText =
  "Your checkout was lost and has been made again from what had been kept of your work. What was changed after that, " +
  "and files that git ignores (installed packages, build output), is gone. Look at `git log` and `git status` before " +
  "you go on, and make again what is missing.";

/** Makes one tool call; one that an earlier host had started is not made again. */
async function settleCall({ call, started }: PendingCall, options: LoopOptions): Promise<void> {
  const { transcript, toolbox, progress } = options;
  if (started) {
    transcript.append({
      type: "done",
      call: call.id,
      content: "The session was interrupted during this call: outcome unknown, look before repeating.",
      isError: true,
    });
    return;
  }
  transcript.append({ type: "intended", call: call.id, tool: call.name });
  const result = await progress.during(toolbox.limitMs(call.name), () => toolbox.run(call.name, call.input));
  transcript.append({ type: "done", call: call.id, ...result, content: cutMiddle(result.content) });
  progress.turned();
}

function limitReached({ spec, transcript }: LoopOptions): Outcome | undefined {
  const attempt = entriesOfAttempt(entriesOfRun(transcript.entries, spec.run));
  if (nudgesInARow(attempt) > nudgesMax) {
    return {
      kind: "Failed",
      reason: "FellSilent",
      message: `The model stopped without finishing, and again after being asked ${nudgesMax} times.`,
    };
  }
  if (turnsOf(attempt) >= spec.maxTurns) {
    return {
      kind: "Failed",
      reason: "TurnLimit",
      message: `The run took all of its ${spec.maxTurns} turns.`,
    };
  }
  return undefined;
}

/** Asks for one turn and writes it down. */
async function takeTurn(options: LoopOptions): Promise<Outcome | undefined> {
  const { spec, transcript, toolbox, progress } = options;
  const answer = await answered(options);
  if ("kind" in answer) return answer;
  if (answer.is === "lost") {
    transcript.append({ type: "lost", why: answer.why });
    const losses = lossesInARow(transcript.entries);
    if (losses > lossesMax) {
      const message = `${losses} answers in a row did not arrive whole. The last one: ${answer.why}`;
      return { kind: "Failed", reason: "AnswersLost", message };
    }
    await options.clock.sleep(backoffMs(losses, options.random));
    return undefined;
  }
  const { content, stopReason, inputTokens } = answer;
  transcript.append({ type: "assistant", content, stopReason, inputTokens });
  progress.turned();
  if (stopReason === "refusal") {
    return { kind: "Failed", reason: "ModelRefused", message: "The model declined to go on." };
  }
  if (stopReason === "model_context_window_exceeded") {
    return {
      kind: "Failed",
      reason: "ContextLimit",
      message: "The conversation is longer than the model takes.",
    };
  }
  if (content.some((block) => block.type === "tool_use")) return undefined;
  const text = stopReason === "max_tokens" ? cutShortText(spec.maxOutputTokens) : toolbox.reminder;
  transcript.append({ type: "nudge", why: stopReason === "max_tokens" ? "CutShort" : "Silent", text });
  return undefined;
}

/** Asks until there is a turn, it is lost, or trying again can't help. */
async function answered(options: LoopOptions): Promise<Outcome | (TurnAnswer & { is: "turn" | "lost" })> {
  const { spec, transcript, model, toolbox, clock, random, progress } = options;
  for (let failures = 1; ; failures++) {
    const answer = await progress.during(answerTimeoutSeconds * 1000, () =>
      model.ask({
        turn: turnsOf(transcript.entries) + 1,
        model: spec.model,
        maxTokens: spec.maxOutputTokens,
        system: spec.system,
        messages: withCacheMark(withinContext(messagesOf(transcript.entries))),
        tools: toolbox.definitions,
      }),
    );
    if (answer.is === "turn" || answer.is === "lost") {
      progress.refused(undefined);
      return answer;
    }
    const error =
      answer.is === "error"
        ? answer.answer
        : { status: 503, headers: new Headers({ "x-should-retry": "true" }), message: answer.why };
    const verdict = verdictOn(error, failures, random);
    if (verdict.do === "askAnew") return { is: "lost", why: error.message };
    if (verdict.do === "pause") {
      const { do: _, ...why } = verdict;
      return { kind: "Paused", ...why, message: error.message };
    }
    if (verdict.do === "fail") return { kind: "Failed", reason: verdict.reason, message: error.message };
    if (options.pauseRequested()) {
      return { kind: "Paused", reason: "Requested", message: "Asked to stop while waiting to try again." };
    }
    progress.beat();
    if (failures >= refusalsTold) progress.refused(error.message);
    await pausableSleep(verdict.afterMs, options, clock);
  }
}

/** Sleeps in short pieces, so that the loop is seen to turn and a request to pause is heeded. */
async function pausableSleep(ms: number, options: LoopOptions, clock: Clock): Promise<void> {
  const end = clock.elapsed() + ms;
  while (clock.elapsed() < end && !options.pauseRequested()) {
    await clock.sleep(Math.min(1000, end - clock.elapsed()));
    options.progress.beat();
  }
}

function cutShortText(maxTokens: number): string {
  return `Your answer was cut off at ${maxTokens} tokens, and no tool was called. Go on in smaller steps.`;
}
