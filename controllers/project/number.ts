/** A Project's number: given once, and never to another. */
import type { Project, Workspace } from "../../pkg/api/generated.ts";
import { type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspace } from "../deps.ts";

/**
 * Takes the next number from the Workspace, then gives it to the Project: a crash between the two leaves a gap, and
 * no number is ever given twice.
 */
export async function giveNumber(project: Project, deps: Deps): Promise<Next> {
  const { client, namespace } = deps;
  const workspace = await theWorkspace(deps);
  if (workspace === undefined) return settled;
  const number = project.spec.github?.issue ?? (await takeNumber(workspace, deps));
  const { items } = await client.list("Project", { namespace });
  if (items.some(({ status }) => status?.number === number))
    throw new TransientError("NumberTaken", `The number ${number} is taken.`);
  await writeStatus(client, "Project", project, {
    ...project.status,
    number,
    creationRevision: project.status?.creationRevision ?? project.metadata.resourceVersion ?? "0",
  });
  return settled;
}

async function takeNumber(workspace: Workspace, { client, namespace }: Deps): Promise<number> {
  const { items } = await client.list("Project", { namespace });
  const given = items.map(({ status }) => status?.number ?? 0);
  const next = Math.max(workspace.status?.lastNumber ?? 0, ...given, 0) + 1;
  const written = await writeStatus(client, "Workspace", workspace, {
    ...workspace.status,
    lastNumber: next,
  });
  if (written === undefined) throw new TransientError("WorkspaceGone", "The Workspace was removed.");
  return next;
}
