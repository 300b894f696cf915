/** Whether a cluster knows Bosun's kinds. */
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { ChosenCluster } from "../../../pkg/cluster/kubeconfig.ts";
import { UserError } from "../user-error.ts";

/**
 * What `list`, a list of one of Bosun's kinds, gives.
 *
 * @throws UserError when the cluster serves no such kind: a kube-apiserver then answers with a page, not with a Status
 */
export async function ofKnownKind<T>(
  list: Promise<T>,
  { context, access }: Pick<ChosenCluster, "context" | "access">,
): Promise<T> {
  try {
    return await list;
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
    throw new UserError(
      `The cluster of context ${context} (${access.server}) does not know Bosun's kinds. Install them: bosun install, or kubectl apply -k manifests`,
      { cause: error },
    );
  }
}
