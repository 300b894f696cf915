/** Which Projects are looked at when something else has changed, and what of a Project counts as a change for others. */
import { getCondition } from "../../pkg/api/conditions.ts";
import type { Agent, Project, Workspace } from "../../pkg/api/generated.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { isClaimable } from "../../pkg/api/phases.ts";
import { type Deps, theWorkspace } from "../deps.ts";
import { isNewsOfRun } from "./decide.ts";

/** The Project that an agent has, when how far its session has come is news for it, or the agent is gone. */
export async function projectsOf(agent: Agent, deps: Deps): Promise<readonly ObjectKey[]> {
  const { client, namespace } = deps;
  const { items } = await client.list("Project", { namespace });
  const own = items.filter(({ status }) => status?.claim?.agent === agent.metadata.name);
  if (own.length === 0) return [];
  const seen = { workspace: await theWorkspace(deps), agent: await client.get("Agent", keyOf(agent)) };
  return own.filter((project) => isNewsOfRun(project, seen)).map(keyOf);
}

/** Those that are not over: the limits of a Workspace hold for them. */
export async function openProjects({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items.filter(({ status }) => status?.phase !== "Done" && status?.phase !== "Abandoned").map(keyOf);
}

/** Those that are said to wait for money. */
export async function heldBack({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items
    .filter(
      (project) =>
        isClaimable(project) && getCondition(project.status?.conditions, "Affordable")?.status === "False",
    )
    .map(keyOf);
}

/** Those that a Budget's state holds back or lets go. */
export async function waitingProjects({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items.filter(isClaimable).map(keyOf);
}

/** What a Workspace limits each Project by, and that there is one: numbers are its to give. */
export function projectLimits(object: KubeObject): unknown {
  const { projectSeconds, stuckSeconds } = (object as Workspace).spec.limits;
  return [object.metadata.uid, projectSeconds, stuckSeconds];
}

/** For which claim it was begun last; nothing of one that never was. */
export function begun(object: KubeObject): unknown {
  return (object as Project).status?.claimNumber;
}

/** What of a Project others in the queue are measured by; nothing of one that waits. */
export function costStanding(object: KubeObject): unknown {
  const { claim, completionTime, costUSD } = (object as Project).status ?? {};
  if (claim === undefined && completionTime === undefined) return undefined;
  return [claim?.number, completionTime, completionTime === undefined ? undefined : costUSD];
}
