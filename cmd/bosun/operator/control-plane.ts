/** Where what is declared and observed is kept: in the workspace's folder, or in a cluster. */
import type { Workspace } from "../../../pkg/api/generated.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Metrics } from "../../../pkg/runtime/metrics.ts";
import { clusterOf } from "../operator-client/chosen-cluster.ts";
import type { Right } from "./acting.ts";
import type { ClusterOptions } from "./cluster.ts";
import { type FilePlaneOptions, openFilePlane } from "./file-plane.ts";
import type { Lock } from "./lock.ts";
import type { Start } from "./start.ts";

export interface ControlPlane {
  client: Client;
  /** Of the workspace. */
  namespace: string;
  lock: Lock;
  /** What `/metrics` shows. */
  metrics: Metrics;
  /** Throws when the folder is another operator's now. */
  assertHeld(): void;
  /** Throws when this operator may not act on what it knows of the objects. */
  assertMayAct(): void;
  /** Absent: nobody can take it away but by the lock, and that ends the process. */
  right?: Right;
  /** What runs once the workspace is known to be one that this operator can work on. */
  begin(workspace: Workspace): Promise<void>;
}

export interface ControlPlaneOptions extends FilePlaneOptions {
  /** Absent: where the folder was last worked for, its own YAML unless it was moved into a cluster. */
  cluster?: ClusterOptions;
  /** Ends the wait for another operator to end. */
  signal: AbortSignal;
}

/** @throws any error of `openCluster` or `openFilePlane` */
export async function openControlPlane(options: ControlPlaneOptions, start: Start): Promise<ControlPlane> {
  const cluster = options.cluster ?? clusterOf(options.folder);
  if (cluster === undefined) return await openFilePlane(options, start);
  // Loaded here alone: file mode must run without it.
  const { openCluster } = await import("./cluster.ts");
  return await openCluster({ ...options, cluster }, start);
}
