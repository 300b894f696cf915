/** In which folder of which machine the work of a cluster's Workspace lies. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { Workspace } from "../../../pkg/api/generated.ts";
import { keyOf } from "../../../pkg/api/meta.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";

/** Of the Workspace, in a cluster. */
export const homeAnnotation = "bosun.dev/home";

/** `ID HOST:PATH`. The id is the folder's own: a copy of the folder is another home only when it is given another. */
export function homeOf(folder: WorkspaceFolder): string {
  const file = path.join(folder.operator, "id");
  if (!existsSync(file)) replaceFileSync(file, `${randomUUID()}\n`, { durable: true, mode: 0o600 });
  return `${readFileSync(file, "utf8").trim()} ${hostname()}:${folder.repository}`;
}

/**
 * Branches, sessions and the ledger lie in one folder: an operator elsewhere has none of them.
 *
 * @throws UserError when they lie in another folder than `home`
 */
export function refuseOtherHome({ metadata }: Workspace, home: string): void {
  const known = metadata.annotations?.[homeAnnotation];
  if (known === undefined || idOf(known) === idOf(home)) return;
  throw new UserError(
    `The work of Workspace ${metadata.name} lies in ${known.slice(idOf(known).length + 1)}: branches, sessions and the ledger are there. Run the operator there. If that folder is gone for good, let this one begin anew: kubectl -n ${metadata.namespace ?? "default"} annotate workspace ${metadata.name} ${homeAnnotation}-`,
  );
}

/**
 * Notes on `workspace`, as it was just read, that its work lies at `home`.
 *
 * @throws UserError as `refuseOtherHome`; StatusError with reason Conflict when the Workspace has changed since
 */
export async function claimHome(client: Client, workspace: Workspace, home: string): Promise<void> {
  refuseOtherHome(workspace, home);
  const { annotations, resourceVersion } = workspace.metadata;
  if (annotations?.[homeAnnotation] === home) return;
  await client.patch("Workspace", keyOf(workspace), {
    metadata: { resourceVersion, annotations: { [homeAnnotation]: home } },
  });
}

/** Claims for `home` a Workspace that somebody makes anew, until the answer is aborted: it comes without a home. */
export function keepHome(options: FollowOptions, home: string): AbortController {
  return followObjects("Workspace", options, async (workspace) => {
    const { annotations, deletionTimestamp } = workspace.metadata;
    if (deletionTimestamp !== undefined || annotations?.[homeAnnotation] !== undefined) return;
    await claimHome(options.client, workspace, home);
  });
}

function idOf(home: string): string {
  return home.split(" ", 1)[0] ?? "";
}
