/** Which cluster a workspace's folder belongs to: the operator writes it down, commands read it. */
import { existsSync, readFileSync } from "node:fs";
import type { ClusterChoice } from "../../../pkg/cluster/kubeconfig.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

export interface ClusterOfFolder extends ClusterChoice {
  context: string;
  namespace: string;
}

/**
 * Undefined in file mode.
 *
 * @throws UserError when the note is damaged
 */
export function clusterOf({ cluster }: WorkspaceFolder): ClusterOfFolder | undefined {
  if (!existsSync(cluster)) return undefined;
  try {
    return JSON.parse(readFileSync(cluster, "utf8")) as ClusterOfFolder;
  } catch (cause) {
    throw new UserError(`${cluster} is damaged. Remove it and run \`bosun up --kubeconfig FILE\` again.`, {
      cause,
    });
  }
}
