/** `agent-<id>.session` of agents without a live session: the host writes it while there is one, the operator otherwise. */
import { rmSync } from "node:fs";
import path from "node:path";
import type { Agent } from "../../../pkg/api/generated.ts";
import { type Money, NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { troubles } from "../../../pkg/runtime/troubles.ts";
import { updateSessionFile } from "../../../pkg/session/session-file.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";

export interface SessionFilesOptions {
  client: Client;
  /** Of the workspace. */
  namespace: string;
  sessions: Sessions;
  money: Pick<Money, "cost">;
  /** `.claude-sessions`. */
  folder: string;
  /** Asked right before a file is written. */
  isHeld(): boolean;
  clock: Clock;
  logger: Logger;
}

/** After a watch broke, in milliseconds. */
const againMs = 1_000;

/** Follows the Agents until the answer is aborted. */
export function writeSessionFiles(options: SessionFilesOptions): AbortController {
  const ending = new AbortController();
  const tries = troubles({
    logger: options.logger,
    clock: options.clock,
    messages: {
      failed: "Following the Agents for their session files ended",
      worked: "The Agents are followed for their session files again",
    },
  });
  void (async () => {
    while (!ending.signal.aborted) {
      try {
        await follow(options, { signal: ending.signal, begun: () => tries.worked() });
      } catch (error) {
        if (ending.signal.aborted) return;
        tries.failed(error);
      }
      await options.clock.sleep(againMs, ending.signal).catch(() => undefined); // Ended.
    }
  })();
  return ending;
}

/** @param begun - called when all Agents were seen once */
async function follow(
  options: SessionFilesOptions,
  { signal, begun }: { signal: AbortSignal; begun: () => void },
): Promise<void> {
  const { client, namespace, folder, isHeld } = options;
  const { items, metadata } = await client.list("Agent", { namespace });
  for (const agent of items) await write(agent, options);
  begun();
  for await (const event of client.watch("Agent", {
    namespace,
    resourceVersion: metadata.resourceVersion,
    signal,
  })) {
    if (event.type === "BOOKMARK") continue;
    if (event.type !== "DELETED") await write(event.object, options);
    else if (isHeld()) rmSync(path.join(folder, `${event.object.metadata.name}.session`), { force: true });
  }
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
