/** The report of Budgets as lines for a terminal. */
import { dollars } from "../../../pkg/api/dollars.ts";
import { NANO_PER_USD, type NanoUSD } from "../../../pkg/gateway/money.ts";
import { clockTime, type Period } from "../../../pkg/gateway/windows.ts";
import { layout } from "../tables/layout.ts";
import type { BudgetReport, Group, Key, Totals, WindowReport } from "./report.ts";
import { roundShares } from "./round-shares.ts";

/** Amounts are shown in ten-thousandths of a dollar, tables so that their rows add up. */
const UNIT: NanoUSD = NANO_PER_USD / 10_000;
/** Rows of a table among others; the rest is added up in one. */
const ROWS_MAX = 10;

export interface RenderOptions {
  nowMs: number;
  /** Whose tables are shown, in full where it is one. */
  keys: readonly Key[];
  /** The window of the tables; undefined: the first that is limited. */
  period: Period | undefined;
}

export function renderReport(reports: readonly BudgetReport[], options: RenderOptions): string[] {
  const header = ["BUDGET", "WINDOW", "LIMIT", "SPENT", "RESERVED", "LEFT", "REQUESTS", "UNSETTLED"];
  return [
    ...layout([header, ...reports.flatMap(windowRows)]),
    "",
    ...reports.flatMap((report) => burnLines(report, options.nowMs)),
    ...reports.flatMap((report) => tables(report, reports.length > 1, options)),
  ];
}

const limited = ({ daily, monthly }: BudgetReport): WindowReport[] =>
  [daily, monthly].filter(({ limit }) => limit.cost !== undefined || limit.tokens !== undefined);

/** One row for each limit that the Budget sets. */
function windowRows(report: BudgetReport): string[][] {
  return limited(report).flatMap((window) => {
    const { limit, left } = window;
    const name = [report.budget, window.window];
    const counts = [String(window.requests), String(window.unsettled.requests)];
    const rows: string[][] = [];
    if (limit.cost !== undefined)
      rows.push([
        ...name,
        `$${dollars(limit.cost / NANO_PER_USD)}`,
        ...[window.spent, window.reserved, left.cost ?? 0].map((cost) =>
          tenThousandths(Math.round(cost / UNIT)),
        ),
        ...counts,
      ]);
    if (limit.tokens !== undefined)
      rows.push([
        ...name,
        `${limit.tokens} tokens`,
        ...[window.spentTokens, window.reservedTokens, left.tokens ?? 0].map(String),
        ...counts,
      ]);
    return rows;
  });
}

function burnLines(report: BudgetReport, nowMs: number): string[] {
  return limited(report).map((window) => {
    const { spanMs, cost, tokens, exhaustedMs } = window.burn;
    const minutes = Math.round(spanMs / 60_000);
    const perHour = (amount: number) => (amount * 3_600_000) / spanMs;
    const rates = [
      ...(window.limit.cost === undefined ? [] : [`${(perHour(cost) / NANO_PER_USD).toFixed(2)} USD/h`]),
      ...(window.limit.tokens === undefined ? [] : [`${Math.round(perHour(tokens))} tokens/h`]),
    ];
    return `${report.budget} ${window.window}: ${rates.join(", ")} over the last ${minutes} min; ${outlook(window, exhaustedMs, report.timeZone, nowMs)}.`;
  });
}

function outlook(
  { endMs }: WindowReport,
  exhaustedMs: number | undefined,
  timeZone: string,
  nowMs: number,
): string {
  if (exhaustedMs !== undefined && exhaustedMs <= nowMs)
    return `exhausted until the window turns at ${clockTime(endMs, nowMs, timeZone)} (${timeZone})`;
  if (exhaustedMs !== undefined)
    return `exhausted at about ${clockTime(exhaustedMs, nowMs, timeZone)} (${timeZone})`;
  return `lasts until the window turns at ${clockTime(endMs, nowMs, timeZone)} (${timeZone})`;
}

function tables(report: BudgetReport, isOneOfSeveral: boolean, { keys, period }: RenderOptions): string[] {
  const window = period === undefined ? (limited(report)[0] ?? report.daily) : report[period];
  if (window.requests === 0) return ["", `No request in ${window.window}.`];
  const of = isOneOfSeveral ? ` of Budget ${report.budget}` : "";
  const max = keys.length === 1 ? Number.POSITIVE_INFINITY : ROWS_MAX;
  return keys.flatMap((key) => ["", `By ${key}, ${window.window}${of}:`, ...table(key, window, max)]);
}

function table(key: Key, window: WindowReport, max: number): string[] {
  const groups = window.by[key];
  const rows = groups.length <= max + 1 ? groups : [...groups.slice(0, max), rest(groups.slice(max))];
  const column = (of: (totals: Totals) => NanoUSD): string[] =>
    roundShares(rows.map(of), UNIT).map(tenThousandths);
  const columns = {
    spent: column(({ spent }) => spent),
    reserved: column(({ reserved }) => reserved),
    unsettled: column(({ unsettled }) => unsettled.cost),
    again: column(({ paidAgain }) => paidAgain.cost),
  };
  const cells = rows.map((row, index) =>
    line(row.name, row, {
      spent: columns.spent[index] ?? "",
      reserved: columns.reserved[index] ?? "",
      unsettled: columns.unsettled[index] ?? "",
      again: columns.again[index] ?? "",
    }),
  );
  const round = (cost: NanoUSD) => tenThousandths(Math.round(cost / UNIT));
  const sum = line("TOTAL", window, {
    spent: round(window.spent),
    reserved: round(window.reserved),
    unsettled: round(window.unsettled.cost),
    again: round(window.paidAgain.cost),
  });
  const header = [key.toUpperCase(), "SPENT", "TOKENS", "REQUESTS", "RESERVED", "UNSETTLED", "PAID AGAIN"];
  return layout([header, ...cells, sum]);
}

function line(
  name: string,
  { spentTokens, requests, reserved, unsettled, paidAgain }: Totals,
  shown: Record<"spent" | "reserved" | "unsettled" | "again", string>,
): string[] {
  // What is nothing is left empty: what stands there is then seen.
  return [
    name,
    shown.spent,
    String(spentTokens),
    String(requests),
    reserved === 0 ? "" : shown.reserved,
    unsettled.requests === 0 ? "" : `${shown.unsettled} (${unsettled.requests})`,
    paidAgain.requests === 0 ? "" : `${shown.again} (${paidAgain.requests})`,
  ];
}

function rest(groups: readonly Group[]): Group {
  const sum = (of: (group: Group) => number): number => groups.reduce((all, group) => all + of(group), 0);
  return {
    name: `(${groups.length} more)`,
    requests: sum(({ requests }) => requests),
    spent: sum(({ spent }) => spent),
    spentTokens: sum(({ spentTokens }) => spentTokens),
    reserved: sum(({ reserved }) => reserved),
    reservedTokens: sum(({ reservedTokens }) => reservedTokens),
    unsettled: {
      requests: sum(({ unsettled }) => unsettled.requests),
      cost: sum(({ unsettled }) => unsettled.cost),
    },
    paidAgain: {
      requests: sum(({ paidAgain }) => paidAgain.requests),
      cost: sum(({ paidAgain }) => paidAgain.cost),
    },
  };
}

/** @param units - ten-thousandths of a dollar */
function tenThousandths(units: number): string {
  return `$${(units / 10_000).toFixed(4)}`;
}
