/** `bosun pause` and `bosun resume`, at every level. */
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import type { Context } from "../context.ts";
import { NAMESPACE, need, theWorkspace } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import type { OperatorClient } from "../operator-client/socket-client.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace } from "../workspace-folder.ts";

const LEVELS = ["workspace", "pool", "agent", "category"] as const;
type Level = (typeof LEVELS)[number];

/** Pauses (`paused`) or resumes the workspace, or one pool, agent or category. */
export async function pause(context: Context, paused: boolean, target: string[]): Promise<void> {
  const { level, name } = parseTarget(target);
  if (level === "workspace" && !paused && (await releaseStop(context))) {
    context.out("The emergency stop is released.");
  }
  await withOperator(context, async ({ client }) => {
    context.out(await apply(client, level, name, paused));
  });
}

/** Where no operator lives the latch is all there is of a stop. Says whether it was engaged. */
async function releaseStop({ cwd }: Context): Promise<boolean> {
  const latch = fileStopLatch(findWorkspace(cwd).stopLatch);
  if (!(await latch.engaged())) return false;
  await latch.release();
  return true;
}

/**
 * What the words after `pause` mean: nothing is the workspace, `agent-1` alone the agent.
 *
 * @throws UserError for anything else that isn't a level and a name
 */
export function parseTarget([first, name, ...rest]: readonly string[]): { level: Level; name: string } {
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

async function apply(client: OperatorClient, level: Level, name: string, paused: boolean): Promise<string> {
  switch (level) {
    case "workspace": {
      const { metadata } = await theWorkspace(client);
      const patch = { spec: { mode: paused ? "Paused" : "Running" } };
      await client.patch("Workspace", { namespace: NAMESPACE, name: metadata.name }, patch);
      return paused
        ? "Paused. Sessions end after their turn and keep claim, branch and transcript; `bosun resume` goes on."
        : "Resumed.";
    }
    case "category": {
      await need(client, "Category", name);
      await client.patch(
        "Category",
        { namespace: NAMESPACE, name },
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
      await client.patch(kind, { namespace: NAMESPACE, name }, { spec: { paused } });
      return `${paused ? "Paused" : "Resumed"} ${level} ${name}.${paused ? " What runs ends after its turn and is kept." : ""}`;
    }
  }
}
