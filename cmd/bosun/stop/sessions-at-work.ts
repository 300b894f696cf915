/** What a person waits for who ends an operator gently: asked of the sessions' folders, so that nobody need answer. */
import { readdir } from "node:fs/promises";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { isAlive } from "../../../pkg/system/process-identity.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** How many sessions have a host, as far as can be seen: one of another container, or of a damaged folder, counts. */
export async function sessionsAtWork({ sessions }: Pick<WorkspaceFolder, "sessions">): Promise<number> {
  const ids = await readdir(sessions).catch(() => []);
  const found = await Promise.all(ids.map((id) => mayBeAtWork(sessions, id)));
  return found.filter(Boolean).length;
}

async function mayBeAtWork(sessions: string, id: string): Promise<boolean> {
  try {
    const host = sessionFolder(sessions, id).readHost();
    if (host?.state !== "running") return host !== undefined;
    return host.place !== pidSpace() || (await isAlive(host.host));
  } catch {
    return true;
  }
}
