/** What the views show: everything but categories and events, read at once. */
import type {
  Agent,
  AgentPool,
  Budget,
  Escalation,
  Project,
  Review,
  Workspace,
} from "../../../pkg/api/generated.ts";
import type { Reader } from "../operator-client/socket-client.ts";

export interface Objects {
  workspaces: readonly Workspace[];
  pools: readonly AgentPool[];
  agents: readonly Agent[];
  projects: readonly Project[];
  reviews: readonly Review[];
  budgets: readonly Budget[];
  escalations: readonly Escalation[];
}

export async function readObjects(client: Pick<Reader, "list" | "namespace">): Promise<Objects> {
  const options = { namespace: client.namespace };
  const [workspaces, pools, agents, projects, reviews, budgets, escalations] = await Promise.all([
    client.list("Workspace", options),
    client.list("AgentPool", options),
    client.list("Agent", options),
    client.list("Project", options),
    client.list("Review", options),
    client.list("Budget", options),
    client.list("Escalation", options),
  ]);
  return {
    workspaces: workspaces.items,
    pools: pools.items,
    agents: agents.items,
    projects: projects.items,
    reviews: reviews.items,
    budgets: budgets.items,
    escalations: escalations.items,
  };
}
