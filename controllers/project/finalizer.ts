/** The finalizer of Projects: nobody who works on one loses what they have when it is deleted. */
import type { Project, ProjectClaim } from "../../pkg/api/generated.ts";
import { WORK_FINALIZER } from "../../pkg/api/names.ts";
import { isConflict, isNotFound } from "../../pkg/api/status-error.ts";
import { type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import type { Deps } from "../deps.ts";

/**
 * Deleted while somebody works on it: the agent saves and lets go first; the branch stays. A merge that is announced
 * may have happened already: it is finished and recorded first.
 */
export async function finalize(project: Project, deps: Deps): Promise<Next> {
  const { client } = deps;
  const { claim, merge } = project.status ?? {};
  if (merge !== undefined || !project.metadata.finalizers?.includes(WORK_FINALIZER)) return settled;
  if (claim !== undefined && (await isHeld(claim, deps))) return settled;
  const finalizers = project.metadata.finalizers.filter((entry) => entry !== WORK_FINALIZER);
  await update({ ...project, metadata: { ...project.metadata, finalizers } }, client);
  return settled;
}

/** False once its agent is gone, or is another of the same name: then nobody lets go of it any more. */
async function isHeld({ agent, agentUID }: ProjectClaim, { client, namespace }: Deps): Promise<boolean> {
  return (await client.get("Agent", { namespace, name: agent }))?.metadata.uid === agentUID;
}

export async function addFinalizer(project: Project, { client }: Deps): Promise<Next> {
  const finalizers = [...(project.metadata.finalizers ?? []), WORK_FINALIZER];
  await update({ ...project, metadata: { ...project.metadata, finalizers } }, client);
  return settled;
}

async function update(project: Project, client: Deps["client"]): Promise<void> {
  try {
    await client.update("Project", project);
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) throw error;
    throw new TransientError("Conflict", `Project ${project.metadata.name} was written by somebody else.`, {
      cause: error,
    });
  }
}
