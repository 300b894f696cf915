import type { FileStat, FileSystem } from "../storage/file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import { LedgerError } from "./ledger-lines.ts";

/** Who may write a ledger: the process that put the file beside it there. */
export interface LedgerOwner {
  /** @throws LedgerError when another process has opened the ledger since */
  assert(): Promise<void>;
}

/**
 * Makes this process the owner of the ledger at `path`, before it reads a line of it. Whoever had it open looks after
 * each sync whether it is still the owner: what it acts upon was there to be read then. It looks before each write, too,
 * so that its lines do not get between its successor's.
 */
export async function takeLedger(fs: FileSystem, path: string, id: string): Promise<LedgerOwner> {
  const file = `${path}.owner`;
  await replaceFile(fs, file, [Buffer.from(`${id}\n`)], 0o600);
  const mine = await fs.stat(file);
  return {
    async assert() {
      if (mine !== undefined && isSame(await fs.stat(file), mine)) return;
      throw new LedgerError(`Another gateway has opened ${path}. This one may spend nothing more, and ends.`);
    },
  };
}

function isSame(found: FileStat | undefined, { ino, mtimeNs }: FileStat): boolean {
  return found?.ino === ino && found.mtimeNs === mtimeNs;
}
