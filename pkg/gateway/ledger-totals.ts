/** The copy of the ledger's totals in another folder, which guards against the loss of the ledger. */
import { isDeepStrictEqual } from "node:util";
import type { FileSystem } from "../storage/file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import { LedgerError } from "./ledger-lines.ts";
import type { LedgerState } from "./ledger-state.ts";

/** What the copy beside the ledger says. */
export interface Totals {
  ledger: string;
  /** Newest line that was on disk. */
  seq: number;
  /** The windows that were not over yet. */
  windows: WindowTotals[];
}

/** Charged and reserved in one window, in nano-dollars and in tokens. */
export interface WindowTotals {
  grant: string;
  budget: string;
  window: string;
  cost: number;
  tokens: number;
}

/** @throws LedgerError when the file is damaged */
export async function readTotals(fs: FileSystem, path: string): Promise<Totals | undefined> {
  const text = await fs.read(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.toString("utf8")) as Totals;
  } catch (cause) {
    throw new LedgerError(`${path} is damaged. Remove it if the ledger is whole.`, { cause });
  }
}

/** The folder must be there. */
export async function writeTotals(fs: FileSystem, path: string, totals: Totals): Promise<void> {
  await replaceFile(fs, path, [Buffer.from(JSON.stringify(totals))], 0o600);
}

export function totalsOf(state: LedgerState): Totals {
  return { ledger: state.ledger, seq: state.seq, windows: windowTotals(state) };
}

function windowTotals(state: LedgerState): WindowTotals[] {
  return [...state.grants()]
    .filter(({ endMs }) => endMs > state.at)
    .map(({ grant, budget, window, selector, startMs, endMs }) => {
      const { spent, reserved, spentTokens, reservedTokens } = state.sums({ selector, startMs, endMs });
      return { grant, budget, window, cost: spent + reserved, tokens: spentTokens + reservedTokens };
    });
}

/** @throws LedgerError when the ledger is missing, another one, or says less than its copy does */
export function checkAgainst(
  totals: Totals | undefined,
  state: LedgerState,
  path: string,
  totalsPath: string,
): void {
  if (totals === undefined || totals.ledger === "") return;
  const problem = contradiction(totals, state);
  if (problem === undefined) return;
  const windows = totals.windows.map(
    ({ budget, window, cost }) => `${budget} ${window}: ${cost} nano-dollars`,
  );
  throw new LedgerError(
    `${path} ${problem}: ${totalsPath} says that ledger ${totals.ledger} had ${totals.seq} lines ` +
      `(${windows.join(", ")}). Nothing is spent until the file is restored; to begin anew, remove both.`,
  );
}

function contradiction(totals: Totals, state: LedgerState): string | undefined {
  if (state.seq === 0) return "is missing";
  if (totals.ledger !== state.ledger) return "is another one";
  if (totals.seq > state.seq) return "was cut";
  // With more lines than the copy knows of, the sums have moved on.
  if (totals.seq < state.seq) return undefined;
  return isDeepStrictEqual(totals.windows, windowTotals(state)) ? undefined : "adds up to something else";
}
