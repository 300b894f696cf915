/** A damaged or missing ledger on disk: what is wrong with it, and putting one made anew in its place. */
import type { FileSystem } from "../storage/file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import { encodeLines, readDamaged, readLedger } from "./ledger-file.ts";
import { LedgerError, type Line } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";
import { checkAgainst, readTotals, type Totals, totalsOf, writeTotals } from "./ledger-totals.ts";
import { type Damaged, isMadeFrom, type Rebuilding } from "./rebuild.ts";

export interface LedgerPlace {
  path: string;
  totalsPath: string;
}

/** What is left of a ledger that can't be used, and why it can't; undefined for one that can. */
export async function inspectLedger(
  fs: FileSystem,
  { path, totalsPath }: LedgerPlace,
): Promise<(Omit<Damaged, "limits"> & { why: string }) | undefined> {
  let totals: Totals | undefined;
  try {
    totals = await readTotals(fs, totalsPath);
    const { state } = await readLedger(fs, path);
    checkAgainst(totals, state, path, totalsPath);
    return undefined;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const { lines, endIsLost } = await readDamaged(fs, path);
    const isShort =
      totals !== undefined && !isMadeFrom(lines, totals) && totals.seq > (lines.at(-1)?.seq ?? 0);
    return { lines, endIsLost: endIsLost || isShort, totals, why: error.message };
  }
}

/**
 * Puts the ledger made anew in the place of the damaged one, which is kept as `keptAs`. A crash before the last step
 * leaves a ledger that can't be used: made anew again, it charges as much.
 *
 * @param id - of the new ledger
 * @param now - wall time, ms
 */
export async function putRebuilt(
  fs: FileSystem,
  { path, totalsPath, keptAs }: LedgerPlace & { keptAs: string },
  { steps, lost, charges, copy }: Rebuilding,
  { id, now }: { id: string; now: number },
): Promise<void> {
  const damaged = await fs.read(path);
  const from = damaged === undefined ? {} : { from: keptAs };
  const copied = copy === undefined ? {} : { copy };
  const state = new LedgerState();
  const lines: Line[] = [];
  for (const step of [
    { step: "opened", ledger: id, version: 1, at: now } as const,
    { step: "rebuilt", ...from, ...copied, lines: 2 + steps.length, lost, charges, at: now } as const,
    ...steps,
  ]) {
    const line: Line = { ...step, seq: state.seq + 1 };
    state.apply(line);
    lines.push(line);
  }
  if (damaged !== undefined) await replaceFile(fs, keptAs, [damaged], 0o600);
  // Each by itself: none of them is one that a crash may have torn.
  const text = Buffer.concat(lines.map((line) => encodeLines([line], Number.POSITIVE_INFINITY).text));
  await replaceFile(fs, path, [text], 0o600);
  // Until then the copy is another ledger's, and nothing is spent; what it says is not lost.
  await writeTotals(fs, totalsPath, totalsOf(state));
}
