/** Keeps what sessions have not handed over, once they are ended: a checkout alone is a fragile place for it. */
import { existsSync, readdirSync } from "node:fs";
import type { WorkspaceSpec } from "../../../pkg/api/generated.ts";
import { commitIdentity } from "../../../pkg/api/names.ts";
import type { KeepsWork } from "../../../pkg/git/repository.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";

export interface KeepOptions {
  /** The folder of all sessions. */
  sessions: string;
  repository: KeepsWork;
  commits: WorkspaceSpec["commits"] | undefined;
  /** Whether nothing of the session lives any more. */
  isGone(session: string): Promise<boolean>;
}

export interface KeptSessions {
  /** Whose checkout is kept in `refs/bosun/wip/<session>`. */
  kept: readonly string[];
  /** What could not be kept, and why, in words. Its checkout is as it was. */
  problems: readonly string[];
}

export async function keepSessions(options: KeepOptions): Promise<KeptSessions> {
  const ids = existsSync(options.sessions) ? readdirSync(options.sessions) : [];
  const all = await Promise.all(ids.map((id) => keepSession(id, options)));
  return {
    kept: ids.filter((_, index) => all[index] === "kept"),
    problems: all.flatMap((one, index) =>
      typeof one === "object" ? [`session ${ids[index]}: ${one.problem}`] : [],
    ),
  };
}

async function keepSession(
  id: string,
  { sessions, repository, commits, isGone }: KeepOptions,
): Promise<"kept" | "nothing" | { problem: string }> {
  const spec = specOf(sessions, id);
  if (spec?.purpose !== "execute") return "nothing";
  try {
    if (!(await isGone(id))) return { problem: "it may still be running" };
    const claim = { project: spec.claim.name, number: spec.claim.number, agent: spec.agent };
    const seen = await repository.keepWork(claim, id, commitIdentity(spec.agent, commits));
    if (seen.is === "unknown") return { problem: seen.why };
    return seen.is === "present" ? "kept" : "nothing";
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Undefined where there is none, or it is damaged: the session's own resume tells of that. */
function specOf(sessions: string, id: string): SessionSpec | undefined {
  try {
    return sessionFolder(sessions, id).readSpec();
  } catch {
    return undefined;
  }
}
