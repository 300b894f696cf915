/** Ends every session and the gateway of a workspace by itself, with or without a living operator. */
import { existsSync, readdirSync } from "node:fs";
import { readProcessRecord } from "../../../pkg/gateway/process.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { endTree, isAlive, type ProcessIdentity } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { markedSessions } from "./marked-sessions.ts";

export interface Ended {
  /** Ids of sessions that lived and are proven gone. */
  sessions: readonly string[];
  /** Whether a gateway lived. */
  hadGateway: boolean;
  /** What still lives, in words. */
  survivors: readonly string[];
}

/** Call it with the stop latch engaged: then nothing that is ended here comes back. */
export async function endEverything(folder: WorkspaceFolder, clock: Clock): Promise<Ended> {
  const ids = existsSync(folder.sessions) ? readdirSync(folder.sessions) : [];
  const marked = await markedSessions();
  const [sessions, hadGateway] = await Promise.all([
    Promise.all(ids.map((id) => endSession(folder.sessions, id, marked, clock))),
    endGateway(folder, clock),
  ]);
  return {
    sessions: ids.filter((_, index) => sessions[index] === "ended"),
    hadGateway,
    survivors: ids.filter((_, index) => sessions[index] === "survives").map((id) => `session ${id}`),
  };
}

async function endSession(
  sessions: string,
  id: string,
  marked: ReadonlySet<string>,
  clock: Clock,
): Promise<"ended" | "absent" | "survives"> {
  const host = sessionFolder(sessions, id).readHost();
  const known: ProcessIdentity[] = host?.state === "running" ? [host.outermost, host.host] : [];
  const lives = marked.has(id) || (await Promise.all(known.map(isAlive))).includes(true);
  if (!lives) return "absent";
  return (await endTree(id, known, clock)) ? "ended" : "survives";
}

/** Requests in flight end with their gateway; the ledger settles them by its rules at the next start. */
async function endGateway({ gateway: state }: WorkspaceFolder, clock: Clock): Promise<boolean> {
  const gateway = await readProcessRecord(state);
  if (gateway === undefined || !(await isAlive(gateway))) return false;
  process.kill(gateway.pid, "SIGKILL");
  while (await isAlive(gateway)) await clock.sleep(10);
  return true;
}
