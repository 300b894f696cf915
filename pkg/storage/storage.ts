/**
 * Where the registry's writes become durable. A storage knows revisions, keys and JSON, nothing of schemas; the
 * registry holds the objects in memory and decides what is written.
 */
import type { KubeObject } from "../api/meta.ts";

/** One object's new state. Revisions are one counter over all kinds that never goes back. */
export interface Change {
  revision: number;
  /** `group/resource`, for instance `bosun.dev/projects`. */
  resource: string;
  namespace: string;
  name: string;
  /** The new state; undefined when deleted. `metadata.resourceVersion` is `revision`. */
  object: KubeObject | undefined;
}

/** What Bosun last read from, or wrote to, a person's file; undefined when it no longer counts. */
export interface FileText {
  /** Relative to the folder, with `/`. */
  path: string;
  text: string | undefined;
}

/** All or nothing: either every part is there after a crash or none. */
export interface Transaction {
  changes: readonly Change[];
  files?: readonly FileText[];
}

/** A change with the state that it replaced; undefined where the object was new. */
export interface RecentChange extends Change {
  previous: KubeObject | undefined;
}

export interface StoredState {
  /** The greatest revision ever given, deleted objects' included; 0 for a new storage. */
  revision: number;
  objects: readonly Change[];
  /** The last changes up to `revision`, in order and without a gap, so that watches can go on; absent: none is known. */
  recent?: readonly RecentChange[];
  files: readonly FileText[];
}

export interface Storage {
  /**
   * Takes ownership and loads what was acknowledged.
   *
   * @throws TerminalError when the content is damaged elsewhere than at its tail; nothing is changed then
   */
  open(): Promise<StoredState>;
  /**
   * Resolves once `transaction` survives power loss; calls resolve in the order made. A rejection is final: the
   * storage takes nothing more and the process has to end.
   */
  commit(transaction: Transaction): Promise<void>;
  close(): Promise<void>;
}
