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
  const { socketPath } = record;
  const projects = await Promise.all(
    objects.projects.map((project) =>
      project.status?.claim === undefined ? project : withCost(project, socketPath),
    ),
  );
  return { ...objects, projects };
}

async function withCost(project: Project, socketPath: string): Promise<Project> {
  try {
    const query = { project: project.metadata.name };
    const answer = await callControl({ socketPath, name: "spent", body: { query }, timeoutMs });
    const { cost } = answer as { cost: number };
    return { ...project, status: { ...project.status, costUSD: cost / NANO_PER_USD } };
  } catch {
    // It has ended, or hangs: a page of what is known does not fail for that.
    return project;
  }
}
