/** Keeps the Workspace's counts for people: how many Projects are in which phase, and how many agents are at work. */
import type { Agent, Project, WorkspaceStatus } from "../../pkg/api/generated.ts";
import type { ObjectKey } from "../../pkg/api/meta.ts";
import { phaseOf } from "../../pkg/api/phases.ts";
import { type Controller, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspaceKey } from "../deps.ts";
import { agentActivity, declared, isBusy, projectPhase } from "../facts.ts";

/** They may come a little late, in milliseconds. */
const countAfterMs = 120_000;

export function countsController(deps: Deps): Controller {
  const { client, namespace } = deps;
  const theOne = (): Promise<readonly ObjectKey[]> => theWorkspaceKey(deps);
  return {
    name: "counts",
    concurrency: 1,
    watches: [
      { kind: "Workspace", by: declared, map: theOne, delayMs: countAfterMs },
      { kind: "Project", by: projectPhase, map: theOne, delayMs: countAfterMs },
      { kind: "Agent", by: agentActivity, map: theOne, delayMs: countAfterMs },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const workspace = await client.get("Workspace", key);
      if (workspace === undefined) return settled;
      const { items: projects } = await client.list("Project", { namespace });
      const { items: agents } = await client.list("Agent", { namespace });
      await writeStatus(client, "Workspace", workspace, {
        ...workspace.status,
        agents: count(agents),
        projects: byPhase(projects),
      });
      return settled;
    },
  };
}

function count(agents: readonly Agent[]): WorkspaceStatus["agents"] {
  return { total: agents.length, working: agents.filter(isBusy).length };
}

function byPhase(projects: readonly Project[]): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const project of projects) {
    const phase = phaseOf(project);
    phases[phase] = (phases[phase] ?? 0) + 1;
  }
  return phases;
}
