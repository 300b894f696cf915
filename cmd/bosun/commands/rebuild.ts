/** `bosun budget rebuild`: makes a damaged or missing ledger anew from what can be proven. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Budget } from "../../../pkg/api/generated.ts";
import { policyOf } from "../../../pkg/gateway/budget-policy.ts";
import { wholeLimits } from "../../../pkg/gateway/grants.ts";
import { NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { type Limit, type Rebuilding, rebuild } from "../../../pkg/gateway/rebuild.ts";
import { inspectLedger, putRebuilt } from "../../../pkg/gateway/rebuild-ledger.ts";
import { nodeFileSystem as fs } from "../../../pkg/storage/node-file-system.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import { systemIds } from "../../../pkg/system/system.ts";
import { ledgerPlace } from "../budget/ledger-place.ts";
import type { Context } from "../context.ts";
import { refuseCopy } from "../operator/state-directory.ts";
import { withObjects } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

export async function rebuildBudget(context: Context, { write }: { write?: boolean }): Promise<void> {
  const folder = findWorkspace(context.cwd);
  // The copy of the totals is the original's: beside it this ledger would count as damaged, and the original's then.
  refuseCopy(folder);
  const record = await readProcessRecord(folder.gateway);
  if (record !== undefined && (await isAlive(record)))
    throw new UserError(
      "A gateway is running, so its ledger is in use and whole. There is nothing to rebuild.",
    );
  const place = ledgerPlace(folder);
  if (place === undefined)
    throw new UserError("No operator has run here yet, so there is no ledger. Start one with `bosun up`.");
  const left = await inspectLedger(fs, place);
  if (left === undefined) return context.out(`${place.path} is whole. There is nothing to rebuild.`);

  const rebuilding = rebuild({ ...left, limits: await limitsNow(context) });
  context.out(left.why);
  context.out("");
  for (const line of told(rebuilding, left.lines.length, left.totals?.seq)) context.out(line);
  if (place.isRehearsal) context.out(upstreamsCount(folder));
  if (write !== true) {
    context.out("");
    return context.out(
      "Nothing was changed. `bosun budget rebuild --write` does it, and keeps the old file.",
    );
  }
  const keptAs = `${place.path}.damaged-${new Date(context.now()).toISOString().replaceAll(":", "")}`;
  await putRebuilt(fs, { ...place, keptAs }, rebuilding, { id: systemIds.uuid(), now: context.now() });
  context.out("");
  context.out(
    `${place.path} was made anew.${existsSync(keptAs) ? ` The old one is kept as ${keptAs}.` : ""}`,
  );
}

/** What the Budgets allow now. */
async function limitsNow(context: Context): Promise<Limit[]> {
  return await withObjects(context, async ({ client }) => {
    const { items } = await client.list("Budget", { namespace: client.namespace });
    const policies = (items as Budget[]).map(policyOf);
    return wholeLimits(policies, context.now(), () => undefined).map((grant) => ({
      ...{ grant: grant.id, holder: grant.holder, budget: grant.budget, uid: grant.uid },
      period: grant.window.period,
      window: grant.window.name,
      startMs: grant.window.startMs,
      endMs: grant.window.endMs,
      selector: grant.selector,
      limitCost: grant.limitCost ?? null,
      limitTokens: grant.limitTokens ?? null,
    }));
  });
}

function told({ lost, beyondTotals, atBound, charges }: Rebuilding, kept: number, copiedTo = 0): string[] {
  const lines = [
    `Proven: ${kept} whole lines of the ledger${copiedTo === 0 ? "" : `, and the copy of its totals after line ${copiedTo}`}.`,
    beyondTotals
      ? `Lost: ${lost === 0 ? "" : `${linesOf(lost)} that ${lost === 1 ? "is" : "are"} known of, and `}whatever came after what is proven.`
      : `Lost: ${linesOf(lost)}, counted in the copy of the totals.`,
  ];
  if (atBound.length > 0)
    lines.push(`Charged with the most they can have cost, since their end was lost: ${atBound.join(", ")}.`);
  for (const { id, budget, window, cost, tokens } of charges)
    lines.push(
      `Charged to ${budget} ${window} because it can't be proven that it was not spent: ${usd(cost)}` +
        `${tokens === 0 ? "" : `, ${tokens} tokens`} (as request ${id}).`,
    );
  if (charges.length > 0 || atBound.length > 0)
    lines.push("Where you know better, from the provider's own bill: `bosun budget settle ID --cost USD`.");
  return lines;
}

const linesOf = (count: number): string => (count === 1 ? "1 line" : `${count} lines`);

/** The played model's own count, which nothing is taken from: only a person can say that it is complete. */
function upstreamsCount({ operator }: WorkspaceFolder): string {
  const file = path.join(operator, "rehearsal.jsonl");
  const older = `${file}.1`;
  const costs = new Map<string, number>();
  for (const part of [older, file].filter(existsSync))
    for (const line of readFileSync(part, "utf8").split("\n").filter(Boolean)) {
      const { id, costNanoUSD = 0 } = JSON.parse(line) as { id: string; costNanoUSD?: number };
      costs.set(id, costNanoUSD);
    }
  const sum = [...costs.values()].reduce((total, cost) => total + cost, 0);
  const which = existsSync(older)
    ? `in the newest ${costs.size} requests`
    : `in all, over ${costs.size} requests`;
  return `[rehearsal] The played model has billed ${usd(sum)} ${which} (${file}).`;
}

function usd(cost: number): string {
  return `$${(cost / NANO_PER_USD).toFixed(4)}`;
}
