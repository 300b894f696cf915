/** What Budgets allow and have spent, and whether the account is used up, as figures for Prometheus. */
import type { Budget, Workspace } from "../../../pkg/api/generated.ts";
import type { Metrics } from "../../../pkg/runtime/metrics.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

/** Adds the figures to `metrics` and keeps them true until the answer is aborted. */
export function moneyMetrics(metrics: Metrics, options: FollowOptions): AbortController {
  const budgets = new Map<string, Budget>();
  let workspace: Workspace | undefined;
  addMoneyMetrics(metrics, () => ({ budgets: [...budgets.values()], workspace }));
  const ending = new AbortController();
  const following = [
    followObjects(
      "Budget",
      options,
      (budget) => void budgets.set(budget.metadata.name, budget),
      ({ metadata }) => void budgets.delete(metadata.name),
    ),
    followObjects("Workspace", options, (found) => {
      workspace = found;
    }),
  ];
  ending.signal.addEventListener("abort", () => {
    for (const one of following) one.abort();
  });
  return ending;
}

interface Seen {
  budgets: readonly Budget[];
  workspace: Workspace | undefined;
}

export function addMoneyMetrics(metrics: Metrics, seen: () => Seen): void {
  const labels = ["budget", "period", "unit"] as const;
  const amounts = [
    ["limit", "What may be spent in the period, in US dollars or tokens."],
    ["spent", "What was settled in the running period, in US dollars or tokens."],
    ["reserved", "What requests in flight may still take, in US dollars or tokens."],
  ] as const;
  for (const [what, help] of amounts)
    metrics.observed({ name: `bosun_budget_${what}`, help, labels }, () =>
      seen().budgets.flatMap((budget) => amountsOf(budget, what)),
    );
  metrics.observed(
    {
      name: "bosun_budget_alert_percent",
      help: "The highest of the alert thresholds that was passed in the running period; 0 for none.",
      labels: ["budget", "period"],
    },
    () => seen().budgets.flatMap(alertsOf),
  );
  metrics.observed(
    {
      name: "bosun_usage_limited_until_seconds",
      help: "When the account may be used again, since the Unix epoch; absent while it may. Model is empty for all.",
      labels: ["model"],
    },
    () =>
      (seen().workspace?.status?.usageLimits ?? []).map(
        ({ model = "", untilTime }) => [{ model }, Date.parse(untilTime) / 1000] as const,
      ),
  );
}

const periods = ["daily", "monthly"] as const;

type Labels = Record<"budget" | "period" | "unit", string>;

function amountsOf(
  { metadata, spec, status }: Budget,
  what: "limit" | "spent" | "reserved",
): (readonly [Labels, number])[] {
  return periods.flatMap((period) => {
    const limit = spec[period];
    const account = status?.[period];
    if (limit === undefined) return [];
    const found: Record<string, number | undefined> = {
      usd: { limit: limit.usd, spent: account?.spentUSD, reserved: account?.reservedUSD }[what],
      tokens: { limit: limit.tokens, spent: account?.spentTokens, reserved: account?.reservedTokens }[what],
    };
    return Object.entries(found).flatMap(([unit, value]) =>
      value === undefined ? [] : [[{ budget: metadata.name, period, unit }, value] as const],
    );
  });
}

function alertsOf({
  metadata,
  spec,
  status,
}: Budget): (readonly [Record<"budget" | "period", string>, number])[] {
  return periods.flatMap((period) => {
    if (spec[period] === undefined) return [];
    const window = status?.[period]?.window;
    const passed = (status?.alerts ?? []).filter((alert) => alert.window === window);
    const highest = Math.max(0, ...passed.map(({ percent }) => percent));
    return [[{ budget: metadata.name, period }, highest] as const];
  });
}
