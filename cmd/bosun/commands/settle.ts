/** `bosun budget settle ID --cost X`: a person says what a request cost whose usage was never seen. */
import { ControlError, callControl } from "../../../pkg/gateway/control.ts";
import { NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import type { Context } from "../context.ts";
import { refuseCopy } from "../operator/state-directory.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

export async function settle(context: Context, id: string, { cost }: { cost: string }): Promise<void> {
  if (!amount.test(cost)) {
    throw new UserError(`--cost must be an amount in US dollars, 0 or more, not "${cost}".`, { exitCode: 2 });
  }
  const usd = Number(cost.replace("$", ""));
  const folder = findWorkspace(context.cwd);
  // What was copied names the original's gateway.
  refuseCopy(folder);
  const socketPath = await gatewaySocket(folder);
  try {
    const body = { id, cost: Math.round(usd * NANO_PER_USD) };
    await callControl({ socketPath, name: "settle", body });
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message, { cause: error });
    throw error;
  }
  context.out(`Request ${id} is settled at $${usd.toFixed(4)}.`);
}

/** With nothing else that counts as a number: what is not an amount must not settle anything at nothing. */
const amount = /^\$?(\d+(\.\d*)?|\.\d+)$/;

async function gatewaySocket({ gateway }: WorkspaceFolder): Promise<string> {
  const record = await readProcessRecord(gateway);
  if (record !== undefined && (await isAlive(record))) return record.socketPath;
  throw new UserError("No gateway is running, and only it writes the ledger. Start one with `bosun up`.");
}
