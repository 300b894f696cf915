import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { shellWord } from "../../../pkg/system/shell-word.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** The name of the folder of state of a workspace that was moved between file mode and a cluster; else undefined. */
export function stateOf({ state }: WorkspaceFolder): string | undefined {
  return readIfPresent(state)?.trim();
}

/**
 * `$XDG_STATE_HOME/bosun/<workspace uid>`: checkouts, quarantine and totals, outside of the repository. Made if missing.
 *
 * @throws UserError when the workspace's state lies in another folder: what is in the checkouts there would count as lost
 */
export function stateDirectory(
  workspace: WorkspaceFolder,
  env: Readonly<Record<string, string | undefined>>,
  workspaceUid: string,
): string {
  const home = env.XDG_STATE_HOME;
  const base =
    home !== undefined && path.isAbsolute(home) ? home : path.join(env.HOME ?? homedir(), ".local", "state");
  const folder = path.join(base, "bosun", workspaceUid);
  refuseOther(workspace, folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** By way of another environment: another user's, cron's, that of a service. */
function refuseOther({ operator }: WorkspaceFolder, folder: string): void {
  const used = stateInUse(operator);
  // One of another uid is another Workspace's, which was deleted.
  if (used === undefined || path.basename(used) !== path.basename(folder)) return;
  if (existsSync(folder) && realpathSync(folder) === used) return;
  const [from, to, above] = [used, folder, path.dirname(folder)].map(shellWord);
  throw new UserError(
    `The checkouts of this workspace lie in ${used}, and XDG_STATE_HOME or HOME says ${folder} now. ` +
      `Start with XDG_STATE_HOME=${shellWord(path.dirname(path.dirname(used)))}; ` +
      "or, to have them there from now on, end what works in them and move them: " +
      `bosun stop --emergency && mkdir -p ${above} && mv -T ${from} ${to} && bosun resume`,
  );
}

/**
 * Finds out whether a workspace still is where it was when an operator last used its folder of state. Call it with the lock.
 *
 * @returns the real path that its `.bosun` had, when it has been moved since
 * @throws UserError when it is there still: one of the two is a copy, and both would work in the same checkouts
 */
export function formerPlace(folder: WorkspaceFolder, state: string): string | undefined {
  const former = placeBefore(folder, state);
  if (former !== undefined && isOriginal(former, folder, state)) throw new UserError(asCopy(folder, former));
  return former;
}

/**
 * The real path of the `.bosun` that this workspace's is a copy of: what its records name, processes and sockets, is that one's.
 * Undefined where none is known, also because something can't be looked at: that must not keep a stop from stopping.
 */
export function originalOf(folder: WorkspaceFolder): string | undefined {
  try {
    const state = stateInUse(folder.operator);
    if (state === undefined) return undefined;
    const former = placeBefore(folder, state);
    return former !== undefined && isOriginal(former, folder, state) ? former : undefined;
  } catch {
    return undefined;
  }
}

/** Whose `.bosun` lies at `operator`. */
export function repositoryOf(operator: string): string {
  return path.dirname(path.dirname(operator));
}

/** @throws UserError when the workspace is a copy of one that is there still */
export function refuseCopy(folder: WorkspaceFolder): void {
  const original = originalOf(folder);
  if (original !== undefined) throw new UserError(asCopy(folder, original));
}

/** Where its folder of state was used last; undefined when that was here, or never. */
function placeBefore({ operator }: WorkspaceFolder, state: string): string | undefined {
  const before = readIfPresent(placeFile(state))?.trim();
  return before === realpathSync(operator) ? undefined : before;
}

/** Whether the `.bosun` at `place` is still there, and another than the workspace's, with the same folder of state. */
function isOriginal(place: string, { operator }: WorkspaceFolder, state: string): boolean {
  return stateInUse(place) === realpathSync(state) && !isSameFolder(place, operator);
}

function asCopy({ repository, operator }: WorkspaceFolder, original: string): string {
  const other = repositoryOf(original);
  return (
    `${repository} and ${other} are copies of one workspace: their agents would work in the same checkouts. ` +
    `Go on in ${other}; or, to go on here, remove ${original}; or, to begin anew here, remove ${operator}: ` +
    "the YAML files stay, what was spent and done is forgotten."
  );
}

/** Says that a workspace uses its folder of state from here on. */
export function settleHere(folder: WorkspaceFolder, state: string): void {
  const here = `${realpathSync(folder.operator)}\n`;
  if (readIfPresent(placeFile(state)) !== here) replaceFileSync(placeFile(state), here, { durable: true });
}

/** Names the `.bosun` that uses a folder of state. */
function placeFile(state: string): string {
  return path.join(state, "workspace");
}

/** Where the workspace of a `.bosun` keeps its state, as a real path; undefined where no operator has run or nothing is. */
function stateInUse(operator: string): string | undefined {
  try {
    return path.dirname(realpathSync(path.join(operator, "gateway")));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function isSameFolder(one: string, other: string): boolean {
  const [first, second] = [statSync(one), statSync(other)];
  return first.dev === second.dev && first.ino === second.ino;
}
