import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** The name of the folder of state of a workspace that was moved between file mode and a cluster; else undefined. */
export function stateOf({ state }: WorkspaceFolder): string | undefined {
  return readIfPresent(state)?.trim();
}

/** `$XDG_STATE_HOME/bosun/<workspace uid>`: checkouts, quarantine and totals, outside of the repository. Made if missing. */
export function stateDirectory(
  env: Readonly<Record<string, string | undefined>>,
  workspaceUid: string,
): string {
  const home = env.XDG_STATE_HOME;
  const base =
    home !== undefined && path.isAbsolute(home) ? home : path.join(env.HOME ?? homedir(), ".local", "state");
  const folder = path.join(base, "bosun", workspaceUid);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
