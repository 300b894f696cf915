/** Where the ledger of the last operator here is, and the copy of its totals. */
import { existsSync, readlinkSync } from "node:fs";
import path from "node:path";
import { ledgerFile, type WorkspaceFolder } from "../workspace-folder.ts";

export interface LedgerPlace {
  /** A rehearsal has a ledger of its own. */
  isRehearsal: boolean;
  path: string;
  totalsPath: string;
}

/** @returns undefined where no operator has run yet */
export function ledgerPlace(folder: WorkspaceFolder): LedgerPlace | undefined {
  const { gateway } = folder;
  if (!existsSync(gateway)) return undefined;
  const isRehearsal = path.basename(readlinkSync(gateway)) === "rehearsal-gateway";
  return {
    isRehearsal,
    path: ledgerFile(folder, isRehearsal),
    totalsPath: path.join(gateway, "totals.json"),
  };
}
