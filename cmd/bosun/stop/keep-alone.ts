/** Keeping the work of ended sessions where no operator lives to do it. */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { openRepository } from "../../../pkg/git/open.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { sandboxAvailable } from "../../../pkg/sandbox/available.ts";
import { lastKnown } from "../operator-client/last-known.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { type KeptSessions, keepSessions } from "./keep-work.ts";

/**
 * Call it when everything is ended and no operator lives.
 *
 * @returns undefined where too little is known of the workspace: then the next operator does it
 */
export async function keepAlone(folder: WorkspaceFolder, clock: Clock): Promise<KeptSessions | undefined> {
  const objects = await lastKnown(folder.log);
  const workspace = (await objects?.list("Workspace"))?.items[0];
  if (workspace === undefined || !existsSync(folder.gateway)) return undefined;
  const { spec, status } = workspace;
  const boxed = spec.sandbox === "Required" && (await sandboxAvailable(clock)).available;
  const repository = await openRepository({
    repositoryPath: path.resolve(folder.repository, spec.repository.path),
    stateDirectory: path.dirname(realpathSync(folder.gateway)),
    targetBranch: spec.repository.targetBranch,
    mode: status?.upstream === "Rehearsal" ? "rehearsal" : "real",
    clock,
    sandbox: boxed ? "bubblewrap" : "off",
  });
  return await keepSessions({
    sessions: folder.sessions,
    repository,
    commits: spec.commits,
    isGone: async () => true,
  });
}
