/** What Budgets have spent and the work in hand has cost so far, which the gateway knows and no object tells at each moment. */
import { windowStatus } from "../../../controllers/budget/decide.ts";
import type { Budget, Project } from "../../../pkg/api/generated.ts";
import { callControl } from "../../../pkg/gateway/control.ts";
import { type BudgetAccount, type MoneyStanding, NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { originalOf } from "../operator/state-directory.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Objects } from "./objects.ts";

/** How long a gateway is waited for, in milliseconds. */
const timeoutMs = 500;

/**
 * `objects` with the numbers of each Budget and the cost of each Project that an agent has, as the ledger says now. Without a
 * gateway that answers they stay as they were told last.
 */
export async function withMoneyNow(objects: Objects, folder: WorkspaceFolder): Promise<Objects> {
  const { budgets, projects } = objects;
  const record = await readProcessRecord(folder.gateway);
  // The record of a copy names the original's gateway.
  if (record === undefined || originalOf(folder) !== undefined) return objects;
  const inHand = projects.filter(({ status }) => status?.claim !== undefined);
  if (inHand.length === 0 && budgets.length === 0) return objects;
  const standing = await standingOf(inHand, record.socketPath);
  if (standing === undefined) return objects;
  const accounts = new Map(standing.accounts.map((account) => [account.budget, account]));
  const spent = new Map(inHand.map((project, at) => [project, standing.spent[at]]));
  return {
    ...objects,
    budgets: budgets.map((budget) => withAccount(budget, accounts.get(budget.metadata.name))),
    projects: projects.map((project) => {
      const cost = spent.get(project)?.cost;
      return cost === undefined
        ? project
        : { ...project, status: { ...project.status, costUSD: cost / NANO_PER_USD } };
    }),
  };
}

/** One that is not in force has no account. */
function withAccount(budget: Budget, account: BudgetAccount | undefined): Budget {
  if (account === undefined) return budget;
  const { spec, status } = budget;
  const daily = windowStatus(account.daily, spec.daily);
  const monthly = windowStatus(account.monthly, spec.monthly);
  return { ...budget, status: { ...status, daily, monthly } };
}

/** All in one call. Undefined where the gateway gives no answer. */
async function standingOf(
  projects: readonly Project[],
  socketPath: string,
): Promise<MoneyStanding | undefined> {
  const body = { projects: projects.map(({ metadata }) => metadata.name) };
  try {
    return (await callControl({ socketPath, name: "standing", body, timeoutMs })) as MoneyStanding;
  } catch {
    // It has ended, or hangs: a page of what is known does not fail for that.
    return undefined;
  }
}
