import type { Clock } from "../runtime/clock.ts";
import { nextTable, type ProcessEntry, startTimeNow } from "./process-table.ts";

export interface EndOptions {
  /** Which processes are to end; all that they have started ends with them. */
  roots(entry: ProcessEntry): boolean;
  clock: Clock;
  /** After this it is given up, in milliseconds. */
  limitMs: number;
  /** Looks at all processes; at those of this machine when left out, in one look with others that end some now. */
  table?(): readonly ProcessEntry[] | Promise<readonly ProcessEntry[]>;
}

/** Between two looks at all processes, in milliseconds. */
const scanPeriodMs = 10;

/**
 * Kills processes with all that they have started, and proves them gone: two looks in a row at all processes of the
 * machine find none. What is found is stopped first, so that none forks away meanwhile, then killed; so are process
 * groups that are theirs alone, since a chain of processes that each start the next and end outruns any look, but not
 * a signal to its group. A process in a namespace descends from who made that namespace, whatever its environment says.
 *
 * The caller is never among them.
 *
 * @returns what still lives after `limitMs`; empty: proven gone
 */
export async function endProcesses({
  roots,
  clock,
  limitMs,
  table: look = nextTable,
}: EndOptions): Promise<readonly ProcessEntry[]> {
  const deadline = clock.elapsed() + limitMs;
  /** Start times by pid. Once its parents are gone, nothing else tells whose a process was that takes a while to end. */
  const seen = new Map<number, string>();
  const isRoot = (entry: ProcessEntry): boolean => seen.get(entry.pid) === entry.startTime || roots(entry);
  for (let clean = 0; ; ) {
    const looked = look();
    const table = looked instanceof Promise ? await looked : looked;
    const found = treesIn(table, isRoot);
    for (const { pid, startTime } of found) seen.set(pid, startTime);
    clean = found.length === 0 ? clean + 1 : 0;
    if (clean === 2) return [];
    for (const name of ["SIGSTOP", "SIGKILL"] as const) {
      for (const group of ownGroups(table, found)) signal(-group, name);
      for (const entry of found) signalExactly(entry, name);
    }
    if (found.length > 0 && clock.elapsed() > deadline) return found;
    await clock.sleep(scanPeriodMs);
  }
}

/** The roots and all that descends from them, ancestors first. */
export function treesIn(
  table: readonly ProcessEntry[],
  roots: (entry: ProcessEntry) => boolean,
): readonly ProcessEntry[] {
  const children = Map.groupBy(table, ({ parent }) => parent);
  const found = new Map<number, ProcessEntry>();
  const add = (entry: ProcessEntry): void => {
    if (entry.pid !== process.pid) found.set(entry.pid, entry);
  };
  for (const entry of table) if (roots(entry)) add(entry);
  // A map is walked in the order of insertion, what is added meanwhile included.
  for (const { pid } of found.values()) for (const child of children.get(pid) ?? []) add(child);
  return [...found.values()];
}

/** Groups that hold nobody else. */
function ownGroups(table: readonly ProcessEntry[], found: readonly ProcessEntry[]): ReadonlySet<number> {
  const pids = new Set(found.map(({ pid }) => pid));
  const groups = new Set(found.map(({ group }) => group));
  for (const { pid, group } of table) if (!pids.has(pid)) groups.delete(group);
  // 0 is the caller's own group, which a group of another namespace looks like; 1 would be everybody.
  groups.delete(0);
  groups.delete(1);
  return groups;
}

/** Signals nobody but the process that was seen: its number may have been given away since. */
export function signalExactly(
  { pid, startTime }: Pick<ProcessEntry, "pid" | "startTime">,
  name: NodeJS.Signals,
): void {
  if (startTimeNow(pid) === startTime) signal(pid, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself since it was seen, or may not be signalled: the next look tells.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
