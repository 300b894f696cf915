/** When sessions last did something, which their reports say each second and no object tells at each moment. */
import type { Agent } from "../../../pkg/api/generated.ts";
import { timestamp } from "../../../pkg/runtime/clock.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/**
 * `agents` with the last activity of each session as its report has it, where that is newer than what was told. A report
 * that can't be read leaves it as it was.
 */
export function withLastActivity(agents: readonly Agent[], folder: WorkspaceFolder): readonly Agent[] {
  return agents.map((agent) => {
    const { session } = agent.status ?? {};
    const lastMs = session === undefined ? undefined : lastActivityMs(folder, session.id);
    if (session === undefined || lastMs === undefined) return agent;
    if (lastMs <= Date.parse(session.lastActivityTime ?? "1970-01-01T00:00:00Z")) return agent;
    const renewed = { ...session, lastActivityTime: timestamp(lastMs) };
    return { ...agent, status: { ...agent.status, session: renewed } };
  });
}

function lastActivityMs({ sessions }: WorkspaceFolder, id: string): number | undefined {
  try {
    return sessionFolder(sessions, id).readReport()?.lastActivityMs;
  } catch {
    // Damaged: the operator says so where it matters.
    return undefined;
  }
}
