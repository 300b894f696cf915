/** Status conditions: metav1's rules, and the one condition that sums an object up. */
import type { Condition } from "./meta.ts";
import type { Reason } from "./reasons.ts";

/** The API refuses longer messages. */
const messageLengthMax = 1024;

/** What a writer says; times and bounds are added here. */
export type NewCondition = Pick<Condition, "type" | "status" | "message"> & { reason: Reason };

export interface When {
  /** RFC 3339, for a status that changes now. */
  now: string;
  /** The `metadata.generation` that the writer looked at. */
  generation: number | undefined;
}

/**
 * `conditions` with `next` in it, by type in alphabetical order. `lastTransitionTime` moves only when the status
 * does; messages are cut to 1024 characters. The same array, perhaps a frozen one, comes back when nothing changes, so
 * that nothing is written.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  next: NewCondition,
  { now, generation }: When,
): Condition[] {
  const previous = getCondition(conditions, next.type);
  const condition: Condition = {
    type: next.type,
    status: next.status,
    reason: next.reason,
    message: cutMessage(next.message),
    lastTransitionTime: previous?.status === next.status ? previous.lastTransitionTime : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  if (conditions !== undefined && previous !== undefined && equal(previous, condition))
    return conditions as Condition[];
  return [...without(conditions, next.type), condition].sort(byType);
}

/** `conditions` without the one of `type`; the same array when there is none. */
export function removeCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  if (getCondition(conditions, type) === undefined) return (conditions ?? []) as Condition[];
  return without(conditions, type);
}

export function getCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  if (conditions === undefined) return undefined;
  // Asked of every object at every look: a loop by index makes nothing that has to be collected.
  for (let at = 0; at < conditions.length; at += 1) {
    const condition = conditions[at];
    if (condition?.type === type) return condition;
  }
  return undefined;
}

/** Whether the condition is there and `True`. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === "True";
}

/** How an object stands. `stalled`: nothing more will happen until the spec changes. */
export interface Outcome {
  is: "good" | "working" | "bad" | "stalled";
  reason: Reason;
  message: string;
}

/**
 * `conditions` with the summary set by `outcome`: good is `True`, working `Unknown`, bad and stalled `False`.
 * `Stalled` is there only while it is `True`, with the summary's reason.
 *
 * @param summary - `Succeeded` for work that ends, `Ready` for what stays up
 */
export function summarize(
  conditions: readonly Condition[] | undefined,
  summary: "Ready" | "Succeeded",
  { is, reason, message }: Outcome,
  when: When,
): Condition[] {
  const status = is === "good" ? "True" : is === "working" ? "Unknown" : "False";
  const summed = setCondition(conditions, { type: summary, status, reason, message }, when);
  if (is !== "stalled") return removeCondition(summed, "Stalled");
  return setCondition(summed, { type: "Stalled", status: "True", reason, message }, when);
}

/** `message` at the length that the API takes, cut between code points so that no surrogate pair is halved. */
export function cutMessage(message: string): string {
  if (message.length <= messageLengthMax) return message;
  const characters = [...message];
  if (characters.length <= messageLengthMax) return message;
  return `${characters.slice(0, messageLengthMax - 1).join("")}…`;
}

function without(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

function byType(a: Condition, b: Condition): number {
  return a.type < b.type ? -1 : a.type > b.type ? 1 : 0;
}

function equal(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.lastTransitionTime === b.lastTransitionTime &&
    a.observedGeneration === b.observedGeneration
  );
}
