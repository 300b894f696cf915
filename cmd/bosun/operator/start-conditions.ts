/** What must hold of a workspace before anything runs for it. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Workspace } from "../../../pkg/api/generated.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { SandboxAvailability } from "../../../pkg/sandbox/available.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** @throws UserError when there is none: none declared, or none that could be taken */
export async function requireWorkspace(
  client: Pick<Client, "list">,
  namespace: string,
  folder: Pick<WorkspaceFolder, "path">,
): Promise<Workspace> {
  const { items } = await client.list("Workspace", { namespace });
  const [workspace] = items;
  if (workspace !== undefined) return workspace;
  const file = path.join(folder.path, "workspace.yaml");
  throw new UserError(
    existsSync(file)
      ? `No valid Workspace is declared in ${file}: what is wrong there was told above. Mend it, then start again.`
      : `There is no Workspace in ${folder.path}. \`bosun init\` writes one.`,
  );
}

/**
 * A workspace is rehearsing or real: numbers, reviews and merges of the one mean nothing to the other.
 *
 * @throws UserError when it has been the other
 */
export function refuseToSwitch(workspace: Workspace, rehearse: boolean): void {
  const before = workspace.status?.upstream;
  const wanted = rehearse ? "Rehearsal" : "Real";
  if (before === undefined || before === wanted) return;
  throw new UserError(
    rehearse
      ? "This workspace works with the real model; a rehearsal would mix played work into it. Rehearse in a clone of the repository."
      : "This workspace has been rehearsing: its Projects carry played work. To begin for real, end the rehearsal by moving .claude-sessions/.bosun away, then start again.",
  );
}

/**
 * The sandbox as it was found, once it is known that the workspace may run with that.
 *
 * @throws UserError when agents with a real model would run without one and nobody said that they may
 */
export function chooseSandbox(
  found: SandboxAvailability,
  workspace: Workspace,
  rehearse: boolean,
  note: (line: string) => void,
): SandboxAvailability {
  if (found.available || workspace.spec.sandbox === "Off") return found;
  if (!rehearse)
    throw new UserError(
      `There is no sandbox here, and agents would run with your files and your network. ${found.why} ${found.fix} Or set \`sandbox: Off\` in the Workspace.`,
    );
  note(`No sandbox: ${found.why} This rehearsal runs its scripted commands without one. ${found.fix}`);
  return found;
}
