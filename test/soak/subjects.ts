/** What the clients of the soak write. */
import { probes } from "../bench/apiserver/probe.ts";
import type { Subject } from "./clients.ts";

export const probeSubject: Subject = {
  path: probes,
  comeAndGo: true,
  object: (name, token) => ({
    apiVersion: "bench.bosun.dev/v1",
    kind: "Probe",
    metadata: { name },
    spec: { title: "A probe", description: token, tasks: [] },
  }),
  patch: (token) => ({ spec: { description: token } }),
  tokenOf: ({ spec }) => String(spec?.description),
};

/** Projects live in files: what clients write changes those, and what a person saves there changes the Projects. */
export const projectSubject: Subject = {
  path: "/apis/bosun.dev/v1alpha1/namespaces/default/projects",
  comeAndGo: false,
  object: (name, token) => ({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name },
    spec: { title: "A project", description: token },
  }),
  patch: (token) => ({ spec: { description: token } }),
  tokenOf: ({ spec }) => String(spec?.description),
};

/** The file of a Project as a person writes it. */
export function projectYaml(name: string): string {
  return `# A person's own words.
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata: { name: ${name} }
spec:
  title: A project
  description: token-0 # what it says
`;
}

/** Nothing is claimed. */
export const pausedWorkspace = `apiVersion: bosun.dev/v1alpha1
kind: Workspace
metadata: { name: soak }
spec:
  mode: Paused
  repository: { targetBranch: main }
  checks: None
`;
