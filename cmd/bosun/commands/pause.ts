/** `bosun pause` and `bosun resume`, at every level. */
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import type { StopLatch } from "../../../pkg/session/stop-latch.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { need, theWorkspace } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import { NoOperatorError, type OperatorClient } from "../operator-client/socket-client.ts";
import { whyUnheard } from "../operator-client/unheard.ts";
import { letRun, refuseStopped } from "../stop/let-run.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace } from "../workspace-folder.ts";

const LEVELS = ["workspace", "pool", "agent", "category"] as const;
type Level = (typeof LEVELS)[number];

/** For how long, and how often, is looked whether a running operator has taken a release in, in milliseconds. */
const settleLimitMs = 2_000;
const settleLookMs = 20;

/** Pauses (`paused`) or resumes the workspace, or one pool, agent or category. */
export async function pause(context: Context, paused: boolean, target: string[]): Promise<void> {
  const { level, name } = parseTarget(target);
  if (level === "workspace")
    return paused ? await pauseWorkspace(context) : await resumeWorkspace(context, systemClock);
  await withOperator(context, async ({ client }) => {
    context.out(await apply(client, level, name, paused));
  });
}

async function pauseWorkspace(context: Context): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { metadata } = await theWorkspace(client);
    const key = { namespace: client.namespace, name: metadata.name };
    await client.patch("Workspace", key, { spec: { mode: "Paused" } });
    context.out(
      "Paused. Sessions end after their turn and keep claim, branch and transcript; `bosun resume` goes on.",
    );
  });
}

/**
 * Releases the latch, then has the mode say so. Where no operator lives the next one does that.
 *
 * @throws UserError when it was stopped again meanwhile
 */
async function resumeWorkspace(context: Context, clock: Clock): Promise<void> {
  const folder = findWorkspace(context.cwd);
  const latch = fileStopLatch(folder.stopLatch);
  const wasStopped = await latch.engaged();
  await latch.release();
  try {
    await withOperator(context, async ({ client }) => {
      await letRun(client, latch);
      if (wasStopped) await settled(latch, clock);
      await refuseStopped(latch);
      context.out(wasStopped ? "The emergency stop is released; every session goes on." : "Resumed.");
    });
  } catch (error) {
    const isAlone = error instanceof UserError && error.cause instanceof NoOperatorError;
    if (!isAlone || !wasStopped) throw error;
    const unheard = await whyUnheard(folder);
    context.out(
      `The emergency stop is released. ${unheard ?? "No operator is running: `bosun up` goes on with every session."}`,
    );
  }
}

/** Waits a moment for the operator to agree. One that is too busy agrees later, and nothing depends on it here. */
async function settled(latch: StopLatch, clock: Clock): Promise<void> {
  const deadline = clock.elapsed() + settleLimitMs;
  while ((await latch.look()).released !== undefined && clock.elapsed() < deadline)
    await clock.sleep(settleLookMs);
}

/**
 * What the words after `pause` mean: nothing is the workspace, `agent-1` alone the agent.
 *
 * @throws UserError for anything else that isn't a level and a name
 */
function parseTarget([first, name, ...rest]: readonly string[]): { level: Level; name: string } {
  if (first === undefined) return { level: "workspace", name: "" };
  if (name === undefined && /^agent-\d+$/.test(first)) return { level: "agent", name: first };
  const level = LEVELS.find((candidate) => candidate === first.toLowerCase().replace(/s$/, ""));
  const complete = level === "workspace" ? name === undefined : name !== undefined;
  if (level === undefined || !complete || rest.length > 0) {
    throw new UserError(
      "Say what: nothing for the workspace, or `agent NAME`, `pool NAME` or `category NAME`.",
      { exitCode: 2 },
    );
  }
  return { level, name: name ?? "" };
}

async function apply(
  client: OperatorClient,
  level: Exclude<Level, "workspace">,
  name: string,
  paused: boolean,
): Promise<string> {
  switch (level) {
    case "category": {
      await need(client, "Category", name);
      await client.patch(
        "Category",
        { namespace: client.namespace, name },
        { spec: { mode: paused ? "Paused" : "Enabled" } },
      );
      return paused
        ? `Paused category ${name}: no ideation, and its projects wait.`
        : `Enabled category ${name}.`;
    }
    case "agent":
    case "pool": {
      const kind = level === "agent" ? "Agent" : "AgentPool";
      await need(client, kind, name);
      await client.patch(kind, { namespace: client.namespace, name }, { spec: { paused } });
      return `${paused ? "Paused" : "Resumed"} ${level} ${name}.${paused ? " What runs ends after its turn and is kept." : ""}`;
    }
  }
}
