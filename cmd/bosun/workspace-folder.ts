import { existsSync } from "node:fs";
import path from "node:path";
import { UserError } from "./user-error.ts";

/** Where a workspace keeps what. Every path is absolute. */
export interface WorkspaceFolder {
  /** `.claude-sessions`: a person's YAML files and the agents' session files. */
  path: string;
  /** The repository's work tree: what holds `.claude-sessions`. */
  repository: string;
  /** `.bosun`: the operator's own. */
  operator: string;
  /** The lock: who connects finds the operator. */
  socket: string;
  /** The write-ahead log. */
  log: string;
  /** While this file exists nothing runs. */
  stopLatch: string;
  /** Leads to the gateway's state folder once an operator has run. */
  gateway: string;
  /** How kubectl reaches the operator's API; beside it one that may only look, as `kubeconfig-read-only`. */
  kubeconfig: string;
  /** Certificates and tokens of that API. */
  serving: string;
  /** Keeps the port of that API. */
  port: string;
  /** One folder a session: spec, report, transcript. */
  sessions: string;
  /** In cluster mode: which cluster and namespace the last operator worked for. */
  cluster: string;
  /** Names the workspace's folder of state where that is not the Workspace's uid: it was moved from another API. */
  state: string;
}

/** File mode has one namespace. */
export const FILE_NAMESPACE = "default";

export const FOLDER_NAME = ".claude-sessions";

/** The layout of the workspace whose repository's work tree is `repository`. */
export function workspaceFolder(repository: string): WorkspaceFolder {
  const folder = path.join(repository, FOLDER_NAME);
  const operator = path.join(folder, ".bosun");
  return {
    path: folder,
    repository,
    operator,
    socket: path.join(operator, "operator.sock"),
    log: path.join(operator, "log"),
    stopLatch: path.join(operator, "stop"),
    gateway: path.join(operator, "gateway"),
    kubeconfig: path.join(operator, "kubeconfig"),
    serving: path.join(operator, "serving"),
    port: path.join(operator, "port"),
    sessions: path.join(operator, "sessions"),
    cluster: path.join(operator, "cluster.json"),
    state: path.join(operator, "state"),
  };
}

/**
 * The workspace that `cwd` lies in, as git finds its repository: the nearest folder upward that has one.
 *
 * @throws UserError when there is none
 */
export function findWorkspace(cwd: string): WorkspaceFolder {
  const found = lookForWorkspace(cwd);
  if (found !== undefined) return found;
  throw new UserError(
    `Neither ${cwd} nor a folder above it has a ${FOLDER_NAME}/. Run \`bosun init\` in the repository.`,
  );
}

/** As `findWorkspace`; undefined when there is none. */
export function lookForWorkspace(cwd: string): WorkspaceFolder | undefined {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, FOLDER_NAME))) return workspaceFolder(folder);
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** Where the gateway keeps its ledger: a rehearsal has one of its own. */
export function ledgerDirectory({ operator }: Pick<WorkspaceFolder, "operator">, rehearsal: boolean): string {
  return path.join(operator, rehearsal ? "rehearsal-ledger" : "ledger");
}

export function ledgerFile(folder: Pick<WorkspaceFolder, "operator">, rehearsal: boolean): string {
  return path.join(ledgerDirectory(folder, rehearsal), "ledger.jsonl");
}
