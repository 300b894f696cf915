/** `agent-<id>.session` of agents without a live session: the host writes it while there is one, the operator otherwise. */
import { rmSync } from "node:fs";
import path from "node:path";
import type { Agent } from "../../../pkg/api/generated.ts";
import { type Money, NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { throttle } from "../../../pkg/runtime/throttle.ts";
import { type SessionFile, updateSessionFile } from "../../../pkg/session/session-file.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

export interface SessionFilesOptions extends FollowOptions {
  sessions: Pick<Sessions, "find">;
  money: Pick<Money, "cost">;
  /** `.claude-sessions`. */
  folder: string;
  /** Asked right before a file is written. */
  isHeld(): boolean;
}

export interface SessionFiles {
  /** Follows no longer. Resolves when each file says what was last heard of its agent. */
  close(): Promise<void>;
}

/**
 * How often the file of one agent is written at most, in milliseconds: for people, who read no faster. An agent changes
 * several times within a tenth of a second, and each time the gateway is asked for its cost.
 */
const writePeriodMs = 1_000;

/** Follows the Agents until closed: a change is in the file at once, or a second after the one before it. */
export function writeSessionFiles(options: SessionFilesOptions): SessionFiles {
  const { folder, clock, logger, isHeld } = options;
  const newest = new Map<string, Agent>();
  const unwritten = new Set<string>();
  const writers = new Map<string, () => void>();
  const inHand = new Set<Promise<void>>();
  const ending = new AbortController();

  const show = (name: string): void => {
    unwritten.delete(name);
    const writing = write(() => newest.get(name), options)
      .catch((error: unknown) =>
        logger.warn("The file that shows an agent could not be written", { agent: name, error }),
      )
      .finally(() => inHand.delete(writing));
    inHand.add(writing);
  };
  const writerOf = (name: string): (() => void) => {
    const writer =
      writers.get(name) ??
      throttle(() => show(name), { clock, ms: () => writePeriodMs, signal: ending.signal });
    writers.set(name, writer);
    return writer;
  };
  const following = followObjects(
    "Agent",
    options,
    (agent) => {
      const { name } = agent.metadata;
      newest.set(name, agent);
      unwritten.add(name);
      writerOf(name)();
    },
    ({ metadata: { name } }) => {
      for (const known of [newest, unwritten, writers]) known.delete(name);
      if (isHeld()) rmSync(path.join(folder, `${name}.session`), { force: true });
    },
  );
  return {
    async close() {
      following.abort();
      ending.abort();
      for (const name of unwritten) show(name);
      await Promise.all(inHand);
    },
  };
}

/** @param newest - asked once more right before the file is written; undefined: the Agent is gone, and so is its file */
async function write(
  newest: () => Agent | undefined,
  { sessions, money, folder, isHeld }: SessionFilesOptions,
): Promise<void> {
  const before = newest();
  if (before === undefined) return;
  const { name } = before.metadata;
  const id = before.status?.session?.id;
  const seen = id === undefined ? undefined : await sessions.find(id);
  if (seen !== undefined && seen.is !== "absent") return;
  const cost = await money.cost({ agent: name });
  const agent = newest();
  // Of another session it is not known who writes; it is looked for in its turn.
  if (agent === undefined || agent.status?.session?.id !== id || !isHeld()) return;
  const { status = {} } = agent;
  const { activity } = status;
  const shown = {
    agent_id: name,
    status: activity === "working" || activity === "reviewing" || activity === "ideating" ? activity : "idle",
    current_project_id: status.project ?? null,
    current_phase: status.phase ?? null,
    last_heartbeat: null,
    branch_name: status.branch ?? null,
    pid: null,
    started_at: null,
    session_id: id ?? null,
    claim: status.session?.claim ?? null,
    current_task: status.currentTask ?? null,
    ...(cost === undefined ? {} : { cost_usd: cost / NANO_PER_USD }),
    error_count: status.errors ?? 0,
    last_error: status.lastError ?? null,
  } satisfies Partial<SessionFile>;
  updateSessionFile(path.join(folder, `${name}.session`), shown, "operator");
}
