/** Whether a request can be paid for now: where money is reserved, this decides it. Pure. */
import type { Bound, Bounds } from "./bound.ts";
import type { Grant } from "./grants.ts";
import { type LimitMet, NANO_PER_USD, type NanoUSD } from "./money.ts";
import { clockTime } from "./windows.ts";

/** What is spent and reserved in the window of a grant. */
export interface Position {
  spent: NanoUSD;
  reserved: NanoUSD;
  spentTokens: number;
  reservedTokens: number;
}

export type Decision =
  /** Reserve this bound; its output is what `max_tokens` becomes. */
  | { is: "granted"; bound: Bound }
  /** It fits alone, not beside what others have reserved: their settlement can make room. */
  | { is: "wait" }
  /** `budgets` are those that have too little left, `limits` what they had it of. */
  | {
      is: "refused";
      reason: "BudgetExceeded" | "NoBudget";
      message: string;
      budgets: readonly string[];
      limits: readonly LimitMet[];
    };

/**
 * Decides over a request with `bounds` against every grant that its session is paid under.
 *
 * Granted only when in each grant spent + reserved + bound stays within the limit, in dollars and in tokens. Near the
 * limit the output is lowered to what is left when nobody else spends, but not beneath the least the request can use.
 *
 * @param grants - those whose Budget selects the session, each with its position now
 */
export function decide(
  bounds: Bounds,
  grants: readonly { grant: Grant; position: Position }[],
  nowMs: number,
): Decision {
  if (grants.length === 0) {
    const message =
      "NoBudget: no Budget with a limit selects this agent, so nothing may be spent. Create one, or widen a selector.";
    return { is: "refused", reason: "NoBudget", message, budgets: [], limits: [] };
  }
  const alone = bounds.within({
    cost: least(grants, ({ grant, position }) => left(grant.limitCost, position.spent)),
    tokens: least(grants, ({ grant, position }) => left(grant.limitTokens, position.spentTokens)),
  });
  if (alone === undefined) {
    return { is: "refused", reason: "BudgetExceeded", ...shortfall(bounds.least, grants, nowMs) };
  }
  const fits = grants.every(
    ({ grant, position }) =>
      alone.cost <= left(grant.limitCost, position.spent + position.reserved) &&
      alone.tokens <= left(grant.limitTokens, position.spentTokens + position.reservedTokens),
  );
  return fits ? { is: "granted", bound: alone } : { is: "wait" };
}

function left(limit: number | undefined, used: number): number {
  return limit === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, limit - used);
}

function least<T>(items: readonly T[], value: (item: T) => number): number {
  return Math.min(...items.map(value));
}

function shortfall(
  needs: Bound,
  grants: readonly { grant: Grant; position: Position }[],
  nowMs: number,
): { message: string; budgets: readonly string[]; limits: readonly LimitMet[] } {
  const short = grants.filter(
    ({ grant, position }) =>
      needs.cost > left(grant.limitCost, position.spent) ||
      needs.tokens > left(grant.limitTokens, position.spentTokens),
  );
  const said = short.map(({ grant, position }) => {
    const usd = needs.cost > left(grant.limitCost, position.spent);
    const need = usd ? dollars(needs.cost) : `${needs.tokens} tokens`;
    const rest = usd
      ? dollars(left(grant.limitCost, position.spent))
      : `${left(grant.limitTokens, position.spentTokens)} tokens`;
    const until = clockTime(grant.window.endMs, nowMs, grant.timeZone);
    return `needs about ${need}, ${rest} left until ${until} (${grant.window.period} limit of Budget ${grant.budget})`;
  });
  const budgets = [...new Set(short.map(({ grant }) => grant.budget))];
  return {
    message: `BudgetExceeded: ${said.join("; ")}`,
    budgets,
    limits: short.map(({ grant }) => met(grant)),
  };
}

function met({ budget, window, limitCost, limitTokens }: Grant): LimitMet {
  return {
    budget,
    period: window.period,
    window: window.name,
    ...(limitCost === undefined ? {} : { cost: limitCost }),
    ...(limitTokens === undefined ? {} : { tokens: limitTokens }),
  };
}

/** Dollars for people, with as many digits as small amounts need. */
function dollars(nano: NanoUSD): string {
  const usd = nano / NANO_PER_USD;
  return `${usd.toFixed(usd < 1 ? 4 : 2)} USD`;
}
