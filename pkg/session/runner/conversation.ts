import type { Outcome } from "../sessions.ts";
import type { Entry } from "../transcript.ts";
import { type ContentBlock, type MessageParam, type ToolCall, toolCalls } from "./blocks.ts";

/**
 * The messages a transcript amounts to. The same entries always give the same messages, and more entries only
 * add to their end, so that the prompt cache and the gateway recognise them.
 */
export function messagesOf(entries: readonly Entry[]): MessageParam[] {
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  const add = (role: "user" | "assistant", ...content: ContentBlock[]) => {
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  };
  for (const entry of entries) {
    if (isTold(entry)) add("user", { type: "text", text: entry.text });
    if (entry.type === "assistant" && entry.content.length > 0) add("assistant", ...entry.content);
    if (entry.type === "done") {
      add("user", {
        type: "tool_result",
        tool_use_id: entry.call,
        content: entry.content === "" ? "(no output)" : entry.content,
        is_error: entry.isError,
      });
    }
  }
  return messages;
}

/** Whether the operator or the runner says something to the model with it. */
function isTold(entry: Entry): entry is Entry & { text: string } {
  return "text" in entry;
}

/** A tool call without a result. `started`: it was announced, so it may have had its effect. */
export interface PendingCall {
  call: ToolCall;
  started: boolean;
}

/** Tool calls of the last turn that have no result yet, in order. */
export function pendingCalls(entries: readonly Entry[]): readonly PendingCall[] {
  const turn = entries.findLastIndex((entry) => entry.type === "assistant");
  const last = entries[turn];
  if (last?.type !== "assistant") return [];
  const after = entries.slice(turn + 1);
  const has = (type: "intended" | "done", call: string) =>
    after.some((entry) => entry.type === type && entry.call === call);
  return toolCalls(last.content)
    .filter((call) => !has("done", call.id))
    .map((call) => ({ call, started: has("intended", call.id) }));
}

/** The entries of one run, its opening message included; empty when it was never opened. */
export function entriesOfRun<E extends Entry>(entries: readonly E[], run: number): readonly E[] {
  const start = entries.findIndex((entry) => entry.type === "message" && entry.run === run);
  if (start === -1) return [];
  const end = entries.findIndex((entry, index) => index > start && entry.type === "message");
  return entries.slice(start, end === -1 ? undefined : end);
}

/** The entries since a run was opened or last started again after a failure. */
export function entriesOfAttempt(run: readonly Entry[]): readonly Entry[] {
  return run.slice(run.findLastIndex((entry) => entry.type === "restart") + 1);
}

/** The checkout that the model knows of; undefined where none was named. */
export function checkoutOf(entries: readonly Entry[]): string | undefined {
  const names = entries.map((entry) =>
    entry.type === "message" || entry.type === "remade" ? entry.checkout : undefined,
  );
  return names.findLast((name) => name !== undefined);
}

/** Complete model turns among the entries. */
export function turnsOf(entries: readonly Entry[]): number {
  return entries.filter((entry) => entry.type === "assistant").length;
}

/** Ids of the tasks said to be done, in that order, each once. */
export function tasksDoneOf(entries: readonly Entry[]): readonly string[] {
  const done = entries.flatMap((entry) =>
    entry.type === "done" && entry.taskDone !== undefined ? [entry.taskDone] : [],
  );
  return [...new Set(done)];
}

/** How the entries of a run say it ended, if a tool call ended it. */
export function outcomeOf(entries: readonly Entry[]): Outcome | undefined {
  const last = entries.findLast((entry) => entry.type === "done" && entry.outcome !== undefined);
  return last?.type === "done" ? last.outcome : undefined;
}

/** How often in a row, up to the end, the runner had to ask because no tool was called. */
export function nudgesInARow(entries: readonly Entry[]): number {
  const tool = entries.findLastIndex((entry) => entry.type === "done");
  return entries.slice(tool + 1).filter((entry) => entry.type === "nudge").length;
}

/** How often in a row, up to the end, a turn was lost. */
export function lossesInARow(entries: readonly Entry[]): number {
  const whole = entries.findLastIndex((entry) => entry.type !== "lost");
  return entries.length - 1 - whole;
}
