/** Ends all that runs for a workspace by itself, with or without a living operator, and proves that nothing is left. */
import { readdir } from "node:fs/promises";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { endProcesses } from "../../../pkg/system/end-processes.ts";
import type { ProcessIdentity } from "../../../pkg/system/process-identity.ts";
import type { ProcessEntry } from "../../../pkg/system/process-table.ts";
import { endsWith, startedAt } from "../../../pkg/system/workspace-mark.ts";
import { originalOf } from "../operator/state-directory.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { type OperatorEnd, quietOperator } from "./quiet-operator.ts";

export interface Ended {
  operator: OperatorEnd;
  /** What could not be proven gone, in words; empty when nothing is left. */
  left: readonly string[];
}

/** How long it may take to kill what was found, in milliseconds. A stop as a whole takes 30 s at most. */
const killLimitMs = 10_000;

/**
 * Kills hosts with all that they run, checks, setup and the gateway by mark, pid and start time; quiets the operator;
 * then looks for what was started until that moment, and goes on until two looks at all processes find none.
 *
 * @param latched - the latch is engaged: then an operator that answers starts nothing more. One that can't be told so
 *   is ended
 */
export async function endEverything(
  folder: WorkspaceFolder,
  { clock, latched }: { clock: Clock; latched: boolean },
): Promise<Ended> {
  const end = async (): Promise<readonly ProcessEntry[]> =>
    endProcesses({ roots: await rootsOf(folder, endsWith(folder.stopLatch)), clock, limitMs: killLimitMs });
  const [operator] = await Promise.all([quietOperator(folder, { clock, ask: latched }), end()]);
  const left = (await end()).map(({ pid }) => `process ${pid}`);
  if (operator.is === "alive") left.push(`the operator, process ${operator.pid}`);
  return { operator, left };
}

/**
 * Kills what still runs for a workspace that has been moved here from `former`, the real path that its `.bosun` had: it
 * reads and writes there, and the latch here does not reach it.
 *
 * @returns what could not be proven gone, in words; empty when nothing is left
 */
export async function endFormer(
  folder: WorkspaceFolder,
  { former, clock }: { former: string; clock: Clock },
): Promise<readonly string[]> {
  const roots = await rootsOf(folder, startedAt(former));
  return (await endProcesses({ roots, clock, limitMs: killLimitMs })).map(({ pid }) => `process ${pid}`);
}

/** What is marked, and what the workspace's records name: in a copy of another workspace those are that one's. */
async function rootsOf(
  folder: WorkspaceFolder,
  isMarked: (entry: ProcessEntry) => boolean,
): Promise<(entry: ProcessEntry) => boolean> {
  if (originalOf(folder) !== undefined) return isMarked;
  // A record that can't be read must not stop a stop: the mark in the environment finds the processes too.
  const ids = await readdir(folder.sessions).catch(() => []);
  const gateway = await readProcessRecord(folder.gateway).catch(() => undefined);
  const known = [
    ...ids.flatMap((id) => hostProcesses(folder.sessions, id)),
    ...(gateway === undefined ? [] : [gateway]),
  ];
  return (entry) =>
    isMarked(entry) || known.some(({ pid, startTime }) => entry.pid === pid && entry.startTime === startTime);
}

function hostProcesses(sessions: string, id: string): readonly ProcessIdentity[] {
  try {
    const host = sessionFolder(sessions, id).readHost();
    return host?.state === "running" ? [host.outermost, host.host] : [];
  } catch {
    // Nor must a damaged one.
    return [];
  }
}
