/** `agent-<id>.session` of agents without a live session: the host writes it while there is one, the operator otherwise. */
import { rmSync } from "node:fs";
import path from "node:path";
import type { Agent } from "../../../pkg/api/generated.ts";
import { type Money, NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { updateSessionFile } from "../../../pkg/session/session-file.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

export interface SessionFilesOptions extends FollowOptions {
  sessions: Sessions;
  money: Pick<Money, "cost">;
  /** `.claude-sessions`. */
  folder: string;
  /** Asked right before a file is written. */
  isHeld(): boolean;
}

/** Follows the Agents until the answer is aborted. */
export function writeSessionFiles(options: SessionFilesOptions): AbortController {
  const { folder, isHeld } = options;
  return followObjects(
    "Agent",
    options,
    (agent) => write(agent, options),
    ({ metadata }) => {
      if (isHeld()) rmSync(path.join(folder, `${metadata.name}.session`), { force: true });
    },
  );
}

async function write(agent: Agent, { sessions, money, folder, isHeld }: SessionFilesOptions): Promise<void> {
  const { name } = agent.metadata;
  const { status = {} } = agent;
  const id = status.session?.id;
  const seen = id === undefined ? undefined : await sessions.find(id);
  if (seen !== undefined && seen.is !== "absent") return;
  const cost = await money.cost({ agent: name });
  const { activity } = status;
  if (!isHeld()) return;
  updateSessionFile(path.join(folder, `${name}.session`), {
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
  });
}
