/** Ends every session and the gateway of a workspace by itself, with or without a living operator. */
import { existsSync, readdirSync } from "node:fs";
import { readProcessRecord } from "../../../pkg/gateway/process.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { endTree, isAlive, type ProcessIdentity } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { markedSessions } from "./marked-sessions.ts";

/**
 * Call it with the stop latch engaged: then nothing that is ended here comes back.
 *
 * @returns what could not be proven gone, in words; empty when nothing is left
 */
export async function endEverything(folder: WorkspaceFolder, clock: Clock): Promise<readonly string[]> {
  const ids = existsSync(folder.sessions) ? readdirSync(folder.sessions) : [];
  const marked = await markedSessions();
  const [gone] = await Promise.all([
    Promise.all(ids.map((id) => endSession(folder.sessions, id, marked, clock))),
    endGateway(folder, clock),
  ]);
  return ids.filter((_, index) => gone[index] === false).map((id) => `session ${id}`);
}

/** Says whether it is proven gone. */
async function endSession(
  sessions: string,
  id: string,
  marked: ReadonlySet<string>,
  clock: Clock,
): Promise<boolean> {
  const known = hostProcesses(sessions, id);
  const lives = marked.has(id) || (await Promise.all(known.map(isAlive))).includes(true);
  return lives ? await endTree(id, known, clock) : true;
}

function hostProcesses(sessions: string, id: string): ProcessIdentity[] {
  try {
    const host = sessionFolder(sessions, id).readHost();
    return host?.state === "running" ? [host.outermost, host.host] : [];
  } catch {
    // A damaged file must not stop a stop: the mark in the environment finds the processes too.
    return [];
  }
}

/** Requests in flight end with their gateway; the ledger settles them by its rules at the next start. */
async function endGateway({ gateway: state }: WorkspaceFolder, clock: Clock): Promise<void> {
  const gateway = await readProcessRecord(state);
  if (gateway === undefined || !(await isAlive(gateway))) return;
  try {
    process.kill(gateway.pid, "SIGKILL");
  } catch {
    // It ended by itself a moment ago.
  }
  while (await isAlive(gateway)) await clock.sleep(10);
}
