/** Which folders of sessions nobody needs any more. */
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Agent, Escalation, Project, ProjectPhase, Review } from "../../../pkg/api/generated.ts";
import type { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";

export const keptMs = 30 * 24 * 60 * 60 * 1000;

/** A session as its folder tells of it. */
export interface RecordedSession {
  id: string;
  path: string;
  /** Undefined: it never began, or its file is damaged. */
  spec: Pick<SessionSpec, "agent" | "project" | "checkout"> | undefined;
  /** When one of its files was last written, wall time in milliseconds. */
  lastMs: number;
  /** Its host may live. */
  hasHost: boolean;
  /** Its checkout is there, and perhaps work in it. */
  hasCheckout: boolean;
}

/** What a session may be needed for. */
export interface Needs {
  projects: readonly Project[];
  reviews: readonly Review[];
  agents: readonly Agent[];
  escalations: readonly Escalation[];
  /** Ids of sessions with a request whose cost isn't settled. */
  owing: ReadonlySet<string>;
  /** Ids of the newest session of each agent, which `bosun logs` shows. */
  newest: ReadonlySet<string>;
  nowMs: number;
}

type Reason = (session: RecordedSession, needs: Needs) => boolean;

/** Each is enough to keep one. */
const reasons: readonly (readonly [why: string, holds: Reason])[] = [
  ["recent", ({ lastMs }, { nowMs }) => nowMs - lastMs < keptMs],
  ["unknown whose", ({ spec }) => spec === undefined],
  ["may live", ({ hasHost }) => hasHost],
  ["has a checkout", ({ hasCheckout }) => hasCheckout],
  ["project is not finished", ({ spec }, { projects }) => !isFinished(spec?.project, projects)],
  ["an object names it", ({ id }, needs) => isNamed(id, needs)],
  [
    "an escalation is open",
    ({ spec }, { escalations }) =>
      escalations.some(
        ({ spec: asked, status }) => asked.project === spec?.project && status?.state !== "Resolved",
      ),
  ],
  ["not settled", ({ id }, { owing }) => owing.has(id)],
  ["newest of its agent", ({ id }, { newest }) => newest.has(id)],
];

/** Why a session's folder has to stay; undefined: nobody needs it. */
export function whyKept(session: RecordedSession, needs: Needs): string | undefined {
  return reasons.find(([, holds]) => holds(session, needs))?.[0];
}

/** From these a Project comes back with another session, if at all. */
const finished: ReadonlySet<ProjectPhase> = new Set(["Done", "Abandoned", "Rejected"]);

function isFinished(name: string | undefined, projects: readonly Project[]): boolean {
  const project = projects.find(({ metadata }) => metadata.name === name);
  if (project === undefined) return true;
  const phase = project.status?.phase;
  return phase !== undefined && finished.has(phase);
}

/** A Review that is over still tells which session it was. */
function isNamed(id: string, { projects, reviews, agents }: Needs): boolean {
  const open = reviews.filter(({ status }) => status?.state !== "Settled" && status?.state !== "Cancelled");
  return (
    agents.some(({ status }) => status?.session?.id === id) ||
    [...projects, ...open].some(({ status }) => status?.claim?.session === id)
  );
}

/** Sessions that owe money to nobody knows yet: their requests run, or a person may still say what they cost. */
export function owingSessions(ledgers: readonly LedgerState[]): ReadonlySet<string> {
  const owing = new Set<string>();
  for (const state of ledgers) {
    const violated = new Set(state.violated);
    for (const { id, payer, state: at } of state.requests())
      if ((at !== "settled" && at !== "released") || violated.has(id)) owing.add(payer.session);
  }
  return owing;
}

export function newestOfEach(sessions: readonly RecordedSession[]): ReadonlySet<string> {
  const newest = new Map<string, RecordedSession>();
  for (const session of sessions) {
    const agent = session.spec?.agent;
    if (agent !== undefined && session.lastMs > (newest.get(agent)?.lastMs ?? -1)) newest.set(agent, session);
  }
  return new Set([...newest.values()].map(({ id }) => id));
}

/** Every session that has a folder in `directory`. */
export function recordedSessions(directory: string): readonly RecordedSession[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries.map(({ name: id }) => {
    const folder = sessionFolder(directory, id);
    const names = readdirSync(folder.path);
    const spec = specOf(directory, id);
    const times = names.map(
      (name) => statSync(path.join(folder.path, name), { throwIfNoEntry: false })?.mtimeMs,
    );
    return {
      id,
      path: folder.path,
      spec,
      lastMs: Math.max(0, ...times.filter((time) => time !== undefined)),
      hasHost: names.includes("host.json"),
      hasCheckout: spec !== undefined && existsSync(spec.checkout),
    };
  });
}

function specOf(directory: string, id: string): SessionSpec | undefined {
  try {
    return sessionFolder(directory, id).readSpec();
  } catch {
    // Damaged: its resume tells of that.
    return undefined;
  }
}
