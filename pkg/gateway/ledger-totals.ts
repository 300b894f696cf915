/** The copy of the ledger's totals in another folder, which guards against the loss of the ledger. */
import { isDeepStrictEqual } from "node:util";
import type { FileSystem } from "../storage/file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import { type Granted, LedgerError } from "./ledger-lines.ts";
import type { LedgerState } from "./ledger-state.ts";

/** What the copy beside the ledger says. */
export interface Totals {
  ledger: string;
  /** Newest line that was on disk. */
  seq: number;
  /** The windows that were not over yet. */
  windows: WindowTotals[];
}

/** A window as it was granted, and what was charged and reserved in it, in nano-dollars and in tokens. */
export interface WindowTotals extends Omit<Granted, "step" | "at"> {
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
    .map((granted) => {
      const { spent, reserved, spentTokens, reservedTokens } = state.sums(granted);
      return { ...windowOf(granted), cost: spent + reserved, tokens: spentTokens + reservedTokens };
    });
}

function windowOf(granted: Granted): Omit<Granted, "step" | "at"> {
  const { grant, holder, budget, uid, period, window, startMs, endMs, selector, limitCost, limitTokens } =
    granted;
  return { grant, holder, budget, uid, period, window, startMs, endMs, selector, limitCost, limitTokens };
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
      `(${windows.join(", ")}). Nothing is spent until the file is restored, or made anew from what can be proven: \`bosun budget rebuild\`.`,
  );
}

function contradiction(totals: Totals, state: LedgerState): string | undefined {
  if (state.seq === 0) return "is missing";
  if (totals.ledger !== state.ledger) return "is another one";
  if (totals.seq > state.seq) return "was cut";
  // With more lines than the copy knows of, the sums have moved on.
  if (totals.seq < state.seq) return undefined;
  const sums = (windows: readonly WindowTotals[]) =>
    windows.map(({ grant, cost, tokens }) => ({ grant, cost, tokens }));
  const isSame = isDeepStrictEqual(sums(totals.windows), sums(windowTotals(state)));
  return isSame ? undefined : "adds up to something else";
}
