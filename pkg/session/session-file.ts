import { mkdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { readIfPresent } from "../storage/blocking-files.ts";
import { replaceFileSync } from "../storage/replace-file.ts";

/** What `.claude-sessions/agent-<id>.session` says: one agent at a glance, for people and scripts. */
export interface SessionFile {
  agent_id: string;
  status: "working" | "reviewing" | "ideating" | "idle";
  current_project_id: string | null;
  current_phase: string | null;
  /** RFC 3339: the host's loop turned. */
  last_heartbeat: string | null;
  /** RFC 3339: the model or a tool did something. */
  last_activity: string | null;
  branch_name: string | null;
  pid: number | null;
  started_at: string | null;
  session_id: string | null;
  /** Number of the claim. */
  claim: number | null;
  current_task: string | null;
  cost_usd: number;
  error_count: number;
  last_error: string | null;
}

const empty: Omit<SessionFile, "agent_id"> = {
  status: "idle",
  current_project_id: null,
  current_phase: null,
  last_heartbeat: null,
  last_activity: null,
  branch_name: null,
  pid: null,
  started_at: null,
  session_id: null,
  claim: null,
  current_task: null,
  cost_usd: 0,
  error_count: 0,
  last_error: null,
};

/**
 * Writes `changes` into an agent's file, atomically; what they do not name stays. Whoever writes under an older
 * claim of the same project than the file knows is stale, and changes nothing.
 *
 * @param writer - whose session this is may be seen too late: the host and the operator may write in one moment
 * @returns false when the writer was stale
 */
export function updateSessionFile(
  path: string,
  changes: Partial<SessionFile> & { agent_id: string },
  writer: "host" | "operator",
): boolean {
  const current = readSessionFile(path);
  if (current !== undefined && isStale(changes, current)) return false;
  const next: SessionFile = { ...empty, ...current, ...changes };
  mkdirSync(dirname(path), { recursive: true });
  replaceFileSync(path, written(next), { durable: false, writer });
  return true;
}

/**
 * An agent's file, or undefined where there is none. A damaged one is set aside as `<path>.damaged`, to be rebuilt
 * by the next write.
 */
export function readSessionFile(path: string): SessionFile | undefined {
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  const value = parsed(text);
  if (value !== undefined) return { ...empty, ...value };
  renameSync(path, `${path}.damaged`);
  return undefined;
}

/** One field a line. Double quotes keep dates, numbers and `yes` from being read as anything but text, by any YAML. */
function written(file: SessionFile): string {
  return Object.entries(file)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join("");
}

/** What `written` wrote; undefined for anything else. */
function asWritten(text: string): unknown {
  const lines = text.split("\n").slice(0, -1);
  const fields = lines.map((line) => /^(\w+): (.+)$/.exec(line));
  if (!text.endsWith("\n") || fields.some((field) => field === null)) return undefined;
  try {
    return Object.fromEntries(fields.map((field) => [field?.[1], JSON.parse(field?.[2] ?? "")]));
  } catch {
    // Some other YAML.
    return undefined;
  }
}

/** A person's YAML, which is rare: each session host would wait for its parser otherwise. */
function asYaml(text: string): unknown {
  const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
  return parse(text);
}

function parsed(text: string): SessionFile | undefined {
  try {
    const value = asWritten(text) ?? asYaml(text);
    return isSessionFile(value) ? value : undefined;
  } catch {
    // Not YAML: damaged like any other text that is no session file.
    return undefined;
  }
}

function isSessionFile(value: unknown): value is SessionFile {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { agent_id, claim } = value as Partial<SessionFile>;
  return typeof agent_id === "string" && (claim === undefined || claim === null || Number.isInteger(claim));
}

function isStale(changes: Partial<SessionFile>, current: SessionFile): boolean {
  const sameProject = changes.current_project_id === current.current_project_id;
  return sameProject && typeof changes.claim === "number" && changes.claim < (current.claim ?? 0);
}
