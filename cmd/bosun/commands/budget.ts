/** `bosun budget`: what may be spent, what was and on what, and how long the rest lasts. */
import { readLedger } from "../../../pkg/gateway/ledger-file.ts";
import { LedgerError } from "../../../pkg/gateway/ledger-lines.ts";
import type { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import { checkAgainst, readTotals } from "../../../pkg/gateway/ledger-totals.ts";
import { UNSETTLED_IN_ROW_MAX } from "../../../pkg/gateway/reservation.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { ledgerPlace } from "../budget/ledger-place.ts";
import { renderReport } from "../budget/render.ts";
import {
  type BudgetReport,
  clockDoubt,
  KEYS,
  type Key,
  reportOf,
  type WindowReport,
} from "../budget/report.ts";
import type { Context } from "../context.ts";
import { originalOf, repositoryOf } from "../operator/state-directory.ts";
import { withObjects } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";
import { ledgerFile } from "../workspace-folder.ts";

export interface BudgetOptions {
  by?: Key;
  window?: "day" | "month";
  output?: "json";
}

/**
 * Reads the ledger itself, with or without an operator: its lines are what the gateway adds up too. A request in flight
 * may settle meanwhile.
 */
export async function budget(context: Context, { by, window, output }: BudgetOptions = {}): Promise<void> {
  await withObjects(context, async ({ client, folder }) => {
    const { items: budgets } = await client.list("Budget", { namespace: client.namespace });
    if (budgets.length === 0 && output !== "json") {
      return context.note(
        "There is no Budget, so no request is let through. Declare one in .claude-sessions/budget.yaml.",
      );
    }
    const { items: workspaces } = await client.list("Workspace", { namespace: client.namespace });
    const place = ledgerPlace(folder);
    const isRehearsal = place?.isRehearsal ?? workspaces[0]?.status?.upstream === "Rehearsal";
    const file = ledgerFile(folder, isRehearsal);
    const original = originalOf(folder);
    // The copy of the totals is the original's, which may have spent more since.
    const state = await stateOf(file, original === undefined ? place?.totalsPath : undefined);
    const nowMs = context.now();
    const reports = reportOf(state, budgets, nowMs);
    if (output === "json") {
      const said = { time: new Date(nowMs).toISOString(), ledger: file, budgets: reports.map(asJson) };
      return context.out(JSON.stringify(said, null, 2));
    }
    if (original !== undefined)
      context.note(
        `${folder.repository} is a copy of ${repositoryOf(original)}: what was spent there since is not in it.`,
      );
    if (isRehearsal) context.note("[rehearsal] The model is played, and so are these costs.");
    for (const doubt of new Set(budgets.flatMap((one) => clockDoubt(one) ?? []))) context.note(doubt);
    for (const id of state.violated)
      context.note(
        `Request ${id} used more than its bound, so nothing more is granted. Look at it, then say what it cost: ` +
          `bosun budget settle ${id} --cost USD.`,
      );
    if (state.unsettledInRow >= UNSETTLED_IN_ROW_MAX)
      context.note(
        `The usage of the last ${state.unsettledInRow} requests was never seen, and each was charged the most that it can ` +
          "have cost: requests go one at a time until one ends as it should.",
      );
    const period = window === undefined ? undefined : window === "day" ? "daily" : "monthly";
    const keys = by === undefined ? KEYS : [by];
    for (const line of renderReport(reports, { nowMs, keys, period })) context.out(line);
  });
}

/** What the ledger says, unless the copy of its totals knows of more: that is not shown as if it were nothing. */
async function stateOf(file: string, totalsPath: string | undefined): Promise<LedgerState> {
  try {
    // The copy first: what a gateway writes meanwhile, the ledger has before it.
    const totals = totalsPath === undefined ? undefined : await readTotals(nodeFileSystem, totalsPath);
    const { state } = await readLedger(nodeFileSystem, file);
    if (totalsPath !== undefined) checkAgainst(totals, state, file, totalsPath);
    return state;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new UserError(error.message, { cause: error });
  }
}

/** Whole nano-dollars, so that every sum of rows is exact. */
function asJson({ budget: name, timeZone, daily, monthly }: BudgetReport): object {
  return { name, timeZone, windows: [daily, monthly].map(windowAsJson) };
}

function windowAsJson({ startMs, endMs, burn, limit, left, by, ...more }: WindowReport): object {
  const { exhaustedMs, ...rate } = burn;
  return {
    ...more,
    unit: "nano-USD",
    start: new Date(startMs).toISOString(),
    end: new Date(endMs).toISOString(),
    limit,
    left,
    burn: {
      ...rate,
      ...(exhaustedMs === undefined ? {} : { exhausted: new Date(exhaustedMs).toISOString() }),
    },
    by,
  };
}
