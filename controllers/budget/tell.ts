/** A Budget's numbers, told once more when nobody will tell them for a while. */
import type { Client } from "../../pkg/runtime/client.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import type { Deps } from "../deps.ts";
import { windowStatus } from "./decide.ts";

/**
 * Writes what each Budget has spent and reserved into its status, however little it moved. While controllers run, the
 * numbers may lag behind the ledger; after the last session has ended they must not.
 *
 * @throws TransientError when somebody else wrote a Budget at the same time
 */
export async function tellBudgets({
  client,
  money,
  namespace,
}: Pick<Deps, "money" | "namespace"> & { client: Client }): Promise<void> {
  const { items } = await client.list("Budget", { namespace });
  for (const budget of items) {
    const account = await money.account(budget.metadata.name);
    // Unknown is not zero: what was seen last stays.
    if (account === undefined) continue;
    await writeStatus(client, "Budget", budget, {
      ...budget.status,
      daily: windowStatus(account.daily, budget.spec.daily),
      monthly: windowStatus(account.monthly, budget.spec.monthly),
    });
  }
}
