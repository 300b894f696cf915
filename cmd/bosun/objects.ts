import type { Kinds } from "../../pkg/api/generated.ts";
import type { Kind } from "../../pkg/runtime/client.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Reader } from "./operator-client/socket-client.ts";
import { UserError } from "./user-error.ts";

/**
 * The object called `name`.
 *
 * @throws UserError with a suggestion when there is none
 */
export async function need<K extends Kind>(client: Reader, kind: K, name: string): Promise<Kinds[K]> {
  const found = await client.get(kind, { namespace: client.namespace, name });
  if (found !== undefined) return found;
  const { items } = await client.list(kind, { namespace: client.namespace });
  const names = items.map(({ metadata }) => metadata.name);
  const known =
    names.length === 0 ? `There is no ${kind} at all.` : `There are: ${names.slice(0, 20).join(", ")}.`;
  throw new UserError(`There is no ${kind} "${name}".${didYouMean(name, names)} ${known}`);
}

/**
 * The one Workspace.
 *
 * @throws UserError when there is none
 */
export async function theWorkspace(client: Reader): Promise<Kinds["Workspace"]> {
  const { items } = await client.list("Workspace", { namespace: client.namespace });
  const [workspace] = items;
  if (workspace === undefined) {
    throw new UserError(
      "There is no Workspace. Declare one in .claude-sessions/workspace.yaml; `bosun init` writes an example.",
    );
  }
  return workspace;
}
