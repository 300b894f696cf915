import type { Workspace } from "../../../pkg/api/generated.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { ChosenCluster } from "../../../pkg/cluster/kubeconfig.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { giveRole } from "../give-role.ts";
import { UserError } from "../user-error.ts";

/**
 * The one Workspace of a namespace of a cluster.
 *
 * @throws UserError when there is none, more than one, or it may not be looked at
 */
export async function onlyWorkspace(
  client: Client,
  chosen: ChosenCluster,
  namespace: string,
): Promise<Workspace> {
  const { context, access } = chosen;
  const where = `namespace ${namespace} of context ${context} (${access.server})`;
  const { items: workspaces } = await client.list("Workspace", { namespace }).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.code !== 403) throw error;
    throw new UserError(
      `${error.message} (${where}). Who runs the operator is given its role by: ${giveRole({ role: "bosun-operator", namespace })}`,
      { cause: error },
    );
  });
  const [workspace, second] = workspaces;
  if (workspace === undefined)
    throw new UserError(
      `There is no Workspace in ${where}. Apply one (manifests/samples has an example), or name another with --namespace.`,
    );
  if (second !== undefined)
    throw new UserError(
      `There is more than one Workspace in ${where}: ${workspaces.map(({ metadata }) => metadata.name).join(", ")}. Each needs a namespace of its own.`,
    );
  return workspace;
}
