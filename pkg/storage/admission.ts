/**
 * What people's files need of whatever admits writes: the registry implements it, the files module is handed it.
 * (Storage lies beneath the registry and does not import it.)
 */
import type { KubeObject, ObjectKey } from "../api/meta.ts";
import type { StatusError } from "../api/status-error.ts";
import type { Change, FileText } from "./storage.ts";

export interface ResourceInfo {
  /** `bosun.dev/projects` */
  resource: string;
  apiVersion: string;
  kind: string;
  /** The CRD's annotation `bosun.dev/file`, for instance `projects/{name}.yaml`; undefined: lives in the log alone. */
  file: string | undefined;
}

/** One edit of a person, already a difference: lists are replaced whole, null deletes (RFC 7386). */
export type Edit =
  | { verb: "create"; object: KubeObject }
  | { verb: "merge"; resource: string; key: ObjectKey; patch: Record<string, unknown> }
  | { verb: "delete"; resource: string; key: ObjectKey };

export type TransactResult =
  | { admitted: true; revision: number }
  /** Nothing was written. One error for each edit that was refused. */
  | { admitted: false; errors: readonly { edit: Edit; error: StatusError }[] };

export interface Admission {
  resources(): readonly ResourceInfo[];
  /** The newest admitted state, writes still being synced included. */
  newest(resource: string, key: ObjectKey): KubeObject | undefined;
  /** The object as its declaration alone means it: pruned, defaulted, without status and server-set metadata. */
  meaning(object: KubeObject): KubeObject;
  /** All edits with the files' new texts as one storage transaction, or nothing. No edits: the texts alone. */
  transact(edits: readonly Edit[], files: readonly FileText[]): Promise<TransactResult>;
  /** Calls `listener` with synced changes, in revision order, in a later turn than the write. Returns the way out. */
  subscribe(listener: (changes: readonly Change[]) => void): () => void;
}
