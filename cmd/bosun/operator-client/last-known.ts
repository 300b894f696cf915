/** What the operator's log says, for when no operator runs. */
import { existsSync } from "node:fs";
import { KINDS } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import { recover } from "../../../pkg/storage/log/recover.ts";
import { toStoredState } from "../../../pkg/storage/log/state.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { FILE_NAMESPACE } from "../workspace-folder.ts";
import type { Reader } from "./socket-client.ts";

/**
 * The objects of the log in `directory`, read once and never written; undefined where there is no log yet.
 *
 * @throws TerminalError when the log is damaged
 */
export async function lastKnown(directory: string): Promise<Reader | undefined> {
  if (!existsSync(directory)) return undefined;
  const { state } = await recover(nodeFileSystem, directory);
  const { objects, revision } = toStoredState(state);
  const of = (kind: Kind, namespace?: string): KubeObject[] => {
    const { group, plural } = KINDS[kind];
    const resource = `${group}/${plural}`;
    return objects
      .filter((change) => change.resource === resource || (group === "" && change.resource === plural))
      .filter((change) => namespace === undefined || change.namespace === namespace)
      .flatMap(({ object }) => (object === undefined ? [] : [object]))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  };
  return {
    namespace: FILE_NAMESPACE,
    // The log holds what was admitted: objects of these kinds.
    get: async (kind, key) =>
      of(kind, key.namespace).find(({ metadata }) => metadata.name === key.name) as never,
    list: async (kind, options = {}) => ({
      metadata: { resourceVersion: String(revision) },
      items: of(kind, options.namespace) as never,
    }),
  };
}
