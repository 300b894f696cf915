import type { LimitMet } from "../../gateway/money.ts";
import type { Random } from "../../runtime/clock.ts";

/** What to do about a request that was answered by an error status. */
export type Verdict =
  /** The same request again, after a pause. */
  | { do: "again"; afterMs: number }
  /** Nobody knows whether the model worked: ask the turn anew, as a new request, a few times at most. */
  | { do: "askAnew" }
  | {
      do: "pause";
      reason: "BudgetExceeded" | "NoBudget" | "BoundViolated" | "UsageLimited" | "UpstreamUnavailable";
      budgets?: readonly string[];
      limits?: readonly LimitMet[];
    }
  | { do: "fail"; reason: "RequestRefused" | "ContextLimit" };

/** A request is sent again so often: over seven minutes at most, where no answer asks for longer. */
const triesMax = 12;
/** The longest pause that nobody asked for, in milliseconds. */
const delayMsMax = 60_000;

export interface ErrorAnswer {
  status: number;
  headers: Headers;
  /** What the answer says, for people. */
  message: string;
}

/**
 * What follows from an error answer.
 *
 * `x-should-retry` is believed where it is sent. Without it 401, 408, 409, 429 and 5xx are retried, up to 12 times,
 * after what `retry-after` says, else after a random share of a pause that doubles from 1 s to 60 s; and so is what says
 * that the account has no money left. None of these is a fault of the work: it waits then, and is tried again.
 *
 * @param failures - answers of this kind in a row, this one included
 */
export function verdictOn(answer: ErrorAnswer, failures: number, random: Random): Verdict {
  const { status, headers, message } = answer;
  const said = headers.get("x-bosun-reason");
  if (status === 402 && said !== null) {
    const budgets = headers.get("x-bosun-budgets");
    const limits = headers.get("x-bosun-limits");
    return {
      do: "pause",
      reason: said === "NoBudget" || said === "BoundViolated" ? said : "BudgetExceeded",
      ...(budgets === null ? {} : { budgets: budgets.split(",").map((name) => name.trim()) }),
      ...(limits === null ? {} : { limits: JSON.parse(limits) as LimitMet[] }),
    };
  }
  if (status === 429 && headers.get("x-bosun-reason") === "UsageLimited")
    return { do: "pause", reason: "UsageLimited" };
  if (status === 413 || (status === 400 && /prompt is too long|context (window|limit)/i.test(message))) {
    return { do: "fail", reason: "ContextLimit" };
  }
  const isUnpaid = status === 402 || (status === 400 && /credit balance is too low/i.test(message));
  const advice = isUnpaid ? "true" : headers.get("x-should-retry");
  // A session admitted anew has a new token, which is read for each try.
  const retryable = advice === "true" || (advice !== "false" && (isPassing(status) || status === 401));
  if (!retryable) return status >= 500 ? { do: "askAnew" } : { do: "fail", reason: "RequestRefused" };
  if (failures > triesMax) return { do: "pause", reason: "UpstreamUnavailable" };
  return { do: "again", afterMs: retryAfterMs(headers) ?? backoffMs(failures, random) };
}

function isPassing(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** `retry-after` in milliseconds; both of its forms. Undefined when there is none that can be read. */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  const at = Date.parse(text);
  const sent = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(at) || Number.isNaN(sent) ? undefined : Math.max(0, at - sent);
}

/** Doubles from 1,000 with each failure, up to 60,000, then a random share of that, at least a tenth. */
export function backoffMs(failures: number, random: Random): number {
  const whole = Math.min(delayMsMax, 1000 * 2 ** (failures - 1));
  return whole * (0.1 + 0.9 * random.next());
}
