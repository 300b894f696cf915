/** Whether a 429 says that the account has used up what its plan allows, and until when: read from headers. Pure. */
import type { IncomingHttpHeaders } from "node:http";

/** What a refusal says about when to ask again. */
export interface Refusal {
  /** From its arrival, in milliseconds; undefined: it says nothing, the back-off decides. */
  waitMs: number | undefined;
  /** What is used up: everything, or the model alone that was asked. Undefined: an ordinary limit of a minute's rate. */
  usedUp: "account" | "model" | undefined;
}

/** A wait longer than this is no matter of rate, in milliseconds: longer than a request may stand in line. */
const RATE_WAIT_MS_MAX = 300_000;

/**
 * What the headers of a 429 or 529 say.
 *
 * A subscription's windows are told one by one, `anthropic-ratelimit-unified-5h-status`, `-7d-status` and so on, each
 * with a `-reset` in seconds since the epoch; older answers have only `anthropic-ratelimit-unified-status` and `-reset`.
 * Every rejected one has to open again, so the latest reset counts. A plain length of time is the account's; any other
 * name is that of some models alone. Without them a wait of more than 5 minutes, from `retry-after` or from a limit with
 * nothing remaining, is taken to be the model's. A reset of a subscription's that comes without any status counts where
 * nothing else says when to ask again.
 *
 * @param nowMs - wall time; the answer's own `date` is preferred, so that a wrong clock here does no harm
 */
export function refusalOf(headers: IncomingHttpHeaders, status: number, nowMs: number): Refusal {
  const dateMs = Date.parse(text(headers.date) ?? "");
  const sentMs = Number.isNaN(dateMs) ? nowMs : dateMs;
  const retryMs = retryAfterMs(text(headers["retry-after"]), sentMs);
  if (status !== 429) return { waitMs: retryMs, usedUp: undefined };
  const rejected = rejectedWindows(headers).filter(({ resetMs }) => resetMs > sentMs);
  if (rejected.length > 0) {
    const resetMs = Math.max(...rejected.map((window) => window.resetMs));
    const usedUp = rejected.some(({ ofAccount }) => ofAccount) ? "account" : "model";
    return { waitMs: Math.max(resetMs - sentMs, retryMs ?? 0), usedUp };
  }
  const bareMs = timeMs(text(headers["anthropic-ratelimit-unified-reset"])) ?? 0;
  if (retryMs === undefined && bareMs > sentMs && !hasStatus(headers))
    return { waitMs: bareMs - sentMs, usedUp: ofAccount(headers) ? "account" : "model" };
  const waitMs = retryMs ?? emptyUntilMs(headers, sentMs);
  return { waitMs, usedUp: waitMs !== undefined && waitMs > RATE_WAIT_MS_MAX ? "model" : undefined };
}

/** The status of a subscription's window, or of all of them. */
const unifiedStatus = /^anthropic-ratelimit-unified-(?:(.+)-)?status$/;

const hasStatus = (headers: IncomingHttpHeaders): boolean =>
  Object.keys(headers).some((name) => unifiedStatus.test(name));

function rejectedWindows(headers: IncomingHttpHeaders): { resetMs: number; ofAccount: boolean }[] {
  const found = Object.entries(headers).flatMap(([name, value]) => {
    const match = unifiedStatus.exec(name);
    if (match === null || text(value) !== "rejected") return [];
    const reset = timeMs(text(headers[name.replace(/status$/, "reset")]));
    if (reset === undefined) return [];
    return [{ window: match[1], resetMs: reset, ofAccount: /^\d+[hd]$/.test(match[1] ?? "") }];
  });
  const single = found.filter(({ window }) => window !== undefined);
  if (single.length > 0) return single;
  return found.map(({ resetMs }) => ({ resetMs, ofAccount: ofAccount(headers) }));
}

/** Whether the sum of the windows speaks of the account: the five hours, the week, or it doesn't say which. */
function ofAccount(headers: IncomingHttpHeaders): boolean {
  const claim = text(headers["anthropic-ratelimit-unified-representative-claim"]) ?? "five_hour";
  return /^(five_hour|seven_day)$/.test(claim);
}

/** When the last limit with nothing remaining is full again, in milliseconds from `sentMs`. */
function emptyUntilMs(headers: IncomingHttpHeaders, sentMs: number): number | undefined {
  const waits = ["requests", "tokens", "input-tokens", "output-tokens"].flatMap((kind) => {
    const remaining = text(headers[`anthropic-ratelimit-${kind}-remaining`]) ?? "0";
    if (remaining !== "0") return [];
    const reset = timeMs(text(headers[`anthropic-ratelimit-${kind}-reset`]));
    return reset === undefined || reset <= sentMs ? [] : [reset - sentMs];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** Seconds since the epoch, or a date in words; in milliseconds. */
function timeMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
  return Number.isFinite(ms) ? ms : undefined;
}

/** A retry-after header in either form, in milliseconds; undefined when there is none that can be read. */
function retryAfterMs(header: string | undefined, sentMs: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (header.trim() !== "" && Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - sentMs);
}

const text = (value: string | string[] | undefined): string | undefined => value?.toString();
