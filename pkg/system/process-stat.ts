import { readFileSync } from "node:fs";

/** What proc(5) says of a living process. */
export interface ProcessStat {
  parent: number;
  group: number;
  /** The same for a process as long as it lives, and another one for the next of its number: see proc(5), field 22. */
  startTime: string;
}

/**
 * What the text of a `/proc/PID/stat` says of its process; undefined of one that does not live, such as a zombie.
 *
 * @param path - of the file, for people
 * @throws Error when it is none that proc(5) describes
 */
export function parseStat(text: string, path: string): ProcessStat | undefined {
  // The command's name is in parentheses and may hold any character: count fields after the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group] = fields;
  const [threads, ticks] = [fields[17], fields[19]];
  if (ticks === undefined) throw new Error(`${path} has fewer fields than proc(5) says: ${text}`);
  // A leader that has ended while other threads go on looks like one that waits to be collected, and lives: the first
  // process of a namespace does, while the last of its threads ends what else is in there.
  if ((state === "Z" && Number(threads) <= 1) || state === "X") return undefined;
  return { parent: Number(parent), group: Number(group), startTime: `${bootId()}/${ticks}` };
}

let boot: string | undefined;

/** Of the boot that this process lives in, which is its last. */
function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
}
