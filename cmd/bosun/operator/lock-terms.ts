/**
 * The files of the lock: `lock/<number>.json`, one for each that held it of late. The greatest number holds. A holder
 * writes its own file alone, so that nothing a stale one writes is taken for another's.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export interface Holder {
  pid: number;
  startTime: string;
  /** The pid space that the pid belongs to. */
  place: string;
  /**
   * Grows with each holder, also where the folder of the lock was taken away: no less than the seconds since 1970 when it
   * took the lock.
   */
  term: number;
  /** Wall time in milliseconds. */
  heartbeatMs: number;
  /** It let go by itself. */
  isReleased?: true;
}

export interface Terms {
  /** The greatest number taken; 0 for none. */
  newest(): number;
  /** Undefined where there is none, or only half of one. */
  holder(number: number): Holder | undefined;
  /** Takes a number; false when somebody has it. Of all that try, one succeeds. */
  take(number: number, holder: Holder): boolean;
  /** Replaces the file of a number that is the caller's own. */
  write(number: number, holder: Holder): void;
  remove(number: number): void;
  /** What lower numbers left goes, their sockets too. */
  removeBefore(number: number): void;
}

/** @param folder - made when missing */
export function lockTerms(folder: string): Terms {
  const file = (number: number) => join(folder, `${number}.json`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    newest: () => Math.max(0, ...filesIn(folder).map(({ number, rest }) => (rest === ".json" ? number : 0))),
    holder(number) {
      try {
        return JSON.parse(readFileSync(file(number), "utf8")) as Holder;
      } catch (error) {
        if (error instanceof SyntaxError || isMissing(error)) return undefined;
        throw error;
      }
    },
    take(number, holder) {
      try {
        writeFileSync(file(number), JSON.stringify(holder), { mode: 0o600, flag: "wx" });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      }
    },
    write(number, holder) {
      const bytes = Buffer.from(JSON.stringify(holder));
      if (overwrite(file(number), bytes)) return;
      writeFileSync(`${file(number)}.new`, bytes, { mode: 0o600 });
      renameSync(`${file(number)}.new`, file(number));
    },
    remove: (number) => rmSync(file(number), { force: true }),
    removeBefore(number) {
      for (const old of filesIn(folder))
        if (old.number < number) rmSync(join(folder, old.name), { force: true });
    },
  };
}

/**
 * Writes over a file that has as many bytes: false where it has not, or is not there. A heartbeat changes digits alone, and
 * a new file for each costs a file system a hundred times as much. Who reads meanwhile sees some old digits.
 */
function overwrite(path: string, bytes: Uint8Array): boolean {
  try {
    const file = openSync(path, "r+");
    try {
      return (
        fstatSync(file).size === bytes.length && writeSync(file, bytes, 0, bytes.length, 0) === bytes.length
      );
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function filesIn(folder: string): { name: string; number: number; rest: string }[] {
  return names(folder).flatMap((name) => {
    const [, digits, rest = ""] = /^(\d+)(\..+)$/.exec(name) ?? [];
    return digits === undefined ? [] : [{ name, number: Number(digits), rest }];
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // A person took it away: nobody holds the lock then.
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
