/** The objects that the benchmark writes: about 1.2 KB of JSON as stored. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

export const crdFile = path.join(import.meta.dirname, "probe.crd.yaml");
export const probes = "/apis/bench.bosun.dev/v1/namespaces/default/probes";

/** The definition, for a server that has yet to be told of it. */
export function definition(): unknown {
  return parse(readFileSync(crdFile, "utf8"));
}

export function probe(name: string): object {
  return {
    apiVersion: "bench.bosun.dev/v1",
    kind: "Probe",
    metadata: { name, labels: { "bench.bosun.dev/run": "one" } },
    spec: {
      title: `Retry uploads that time out (${name})`,
      description: "An upload that times out is lost today, and the person has to notice it. "
        .repeat(5)
        .trim(),
      category: "tests",
      minReplicas: 1,
      tasks: [1, 2, 3, 4].map((i) => ({ id: `T-${i}`, title: `Step ${i} of what has to be done here` })),
    },
  };
}

/** A merge patch of the status; `turn` makes each another one. */
export function statusPatch(turn: number): object {
  return { status: { phase: "Working", conditions: [condition(turn)] } };
}

/** What another manager applies to the spec. */
export function applied(name: string, turn: number): object {
  return {
    apiVersion: "bench.bosun.dev/v1",
    kind: "Probe",
    metadata: { name },
    spec: { priority: turn % 100 },
  };
}

function condition(turn: number): object {
  return {
    type: "Ready",
    status: turn % 2 === 0 ? "True" : "False",
    reason: "Measured",
    message: `This is the change with the number ${turn}.`,
    lastTransitionTime: "2026-01-05T08:00:00Z",
  };
}
