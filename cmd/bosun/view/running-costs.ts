/** What the work in hand has cost so far, which the gateway knows and no object tells at each moment. */
import type { Project } from "../../../pkg/api/generated.ts";
import { callControl } from "../../../pkg/gateway/control.ts";
import { NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { readProcessRecord } from "../../../pkg/gateway/process-record.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Objects } from "./objects.ts";

/** How long a gateway is waited for, in milliseconds. */
const timeoutMs = 500;

/**
 * `objects` with the cost of each Project that an agent has, as the ledger says now. Without a gateway that answers it
 * stays as it was told last.
 */
export async function withRunningCosts(objects: Objects, { gateway }: WorkspaceFolder): Promise<Objects> {
  const record = await readProcessRecord(gateway);
  if (record === undefined) return objects;
  const inHand = objects.projects.filter(({ status }) => status?.claim !== undefined);
  if (inHand.length === 0) return objects;
  const costs = await costsOf(inHand, record.socketPath);
  const projects = objects.projects.map((project) => {
    const cost = costs.get(project);
    return cost === undefined
      ? project
      : { ...project, status: { ...project.status, costUSD: cost / NANO_PER_USD } };
  });
  return { ...objects, projects };
}

/** In nano-USD, asked for in one call. Empty where the gateway gives no answer. */
async function costsOf(
  projects: readonly Project[],
  socketPath: string,
): Promise<ReadonlyMap<Project, number>> {
  const queries = projects.map(({ metadata }) => ({ project: metadata.name }));
  try {
    const answer = await callControl({ socketPath, name: "costs", body: { queries }, timeoutMs });
    const { costs } = answer as { costs: readonly number[] };
    return new Map(costs.flatMap((cost, at) => (projects[at] === undefined ? [] : [[projects[at], cost]])));
  } catch {
    // It has ended, or hangs: a page of what is known does not fail for that.
    return new Map();
  }
}
