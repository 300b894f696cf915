/** The small kind that every kit reconciles: its status says which generation of the spec it was made from. */
export const group = "bench.bosun.dev";
export const plural = "probes";

/** `probes` of a namespace. */
export function probesOf(namespace: string): string {
  return `/apis/${group}/v1/namespaces/${namespace}/${plural}`;
}

export interface Probe {
  metadata: { name: string; generation: number; resourceVersion: string };
  status?: { phase?: string; observedGeneration?: number };
}

export function isReconciled({ metadata, status }: Probe): boolean {
  return status?.observedGeneration === metadata.generation;
}
