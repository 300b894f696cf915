/** `bosun logs AGENT [-f]`: what an agent's session says and does. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { agentOf, type SessionFolder, sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { StampedEntry } from "../../../pkg/session/transcript.ts";
import { codeOf } from "../../../pkg/storage/file-calls.ts";
import type { Context } from "../context.ts";
import { entryLines } from "../logs/entries.ts";
import { tail } from "../logs/tail.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

export async function logs(
  context: Context,
  agent: string,
  { follow = false }: { follow?: boolean },
): Promise<void> {
  const session = newestSession(findWorkspace(context.cwd), agent);
  const spec = session.readSpec();
  context.note(
    `${agent}, ${spec?.purpose === "review" ? "review of" : "work on"} ${spec?.project ?? "?"}: ${session.transcriptPath}`,
  );
  // Only a follower waits for Ctrl-C; any other ends by itself.
  const signal = follow ? context.signal : new AbortController().signal;
  for await (const line of tail(session.transcriptPath, { follow, signal })) {
    for (const shown of entryLines(JSON.parse(line) as StampedEntry)) context.out(shown);
  }
}

/**
 * The session of `agent` whose transcript was written last.
 *
 * @throws UserError when it has none
 */
function newestSession({ sessions }: WorkspaceFolder, agent: string): SessionFolder {
  const found = idsIn(sessions)
    .map((id) => sessionFolder(sessions, id))
    .filter((session) => agentOf(session) === agent)
    .sort((a, b) => writtenMs(b) - writtenMs(a));
  const [newest] = found;
  if (newest !== undefined) return newest;
  throw new UserError(`${agent} has no session yet. Agents: bosun get agents`);
}

/** None before the first session. @throws why the folder can't be read */
function idsIn(sessions: string): readonly string[] {
  try {
    return readdirSync(sessions);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function writtenMs({ transcriptPath }: SessionFolder): number {
  return existsSync(transcriptPath) ? statSync(transcriptPath).mtimeMs : 0;
}
