import type { Budget } from "../pkg/api/generated.ts";
import { type LimitMet, nanoOf } from "../pkg/gateway/money.ts";
import { isInForce } from "./deps.ts";

/**
 * Under which windows, limits and corrections of a Budget a request was refused: one word. While it stays the same, so
 * does the answer; a turned window, a limit that a person changed, and what a person said of a request's cost change it.
 */
export function budgetMark({ metadata, spec, status }: Budget): string {
  const parts = [
    metadata.name,
    status?.daily?.window,
    spec.daily?.usd,
    spec.daily?.tokens,
    spec.monthly?.usd,
    spec.monthly?.tokens,
  ];
  return [...parts, ...(status?.corrections === undefined ? [] : [status.corrections])].join(":");
}

/**
 * Whether other limits hold by now than a request was refused under: a refusal is noted a moment later, and who sees a
 * Budget run out raises it in that very moment. What was noted as refused under the new limit would wait for its window to end.
 *
 * @param met - the limits that had too little left, none where there was no limit at all; undefined: nobody said which
 * @param budgets - of those that refused, or all that hold for the agent, as they are now
 */
export function limitsHaveChanged(met: readonly LimitMet[] | undefined, budgets: readonly Budget[]): boolean {
  if (met === undefined) return false;
  const now = budgets.flatMap(limitsOf);
  if (met.length === 0) return now.length > 0;
  return met.some((limit) => !now.some((other) => stillHolds(limit, other)));
}

/** A status that still speaks of an earlier window than the gateway says nothing about it. */
function stillHolds(met: LimitMet, now: LimitMet): boolean {
  return (
    now.budget === met.budget &&
    now.period === met.period &&
    now.cost === met.cost &&
    now.tokens === met.tokens &&
    now.window <= met.window
  );
}

function limitsOf(budget: Budget): readonly LimitMet[] {
  if (!isInForce(budget)) return [];
  const { metadata, spec, status } = budget;
  return (["daily", "monthly"] as const).flatMap((period) => {
    const { usd, tokens } = spec[period] ?? {};
    if (usd === undefined && tokens === undefined) return [];
    const limit: LimitMet = { budget: metadata.name, period, window: status?.[period]?.window ?? "" };
    return [
      {
        ...limit,
        ...(usd === undefined ? {} : { cost: nanoOf(usd) }),
        ...(tokens === undefined ? {} : { tokens }),
      },
    ];
  });
}
