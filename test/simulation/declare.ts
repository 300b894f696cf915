/** What people declare: valid objects of each kind. */
import {
  type AgentPool,
  type AgentRole,
  type Budget,
  PROJECT_CATEGORIES,
  type Project,
  type ProjectSpec,
  type Workspace,
  type WorkspaceSpec,
} from "../../pkg/api/generated.ts";
import { API_VERSION, FIXES_BASELINE_LABEL } from "../../pkg/api/names.ts";
import type { Draft } from "../../pkg/runtime/client.ts";
import type { Prng } from "./kernel/prng.ts";

const namespace = "default";

export const declare = { workspace, budget, pool, project, namedProject };

function workspace(spec: Partial<WorkspaceSpec> = {}): Draft<Workspace> {
  const commands = { test: { run: "npm test", timeoutSeconds: 600 } };
  return object("Workspace", "workspace", { commands, ...spec }) as Draft<Workspace>;
}

function budget(usd: number, name = "all", timeZone = "UTC"): Draft<Budget> {
  const spec = { daily: { usd }, monthly: { tokens: 1_000_000_000 }, timeZone };
  return object("Budget", name, spec) as Draft<Budget>;
}

function pool(name: string, role: AgentRole, replicas: number): Draft<AgentPool> {
  const more = role === "Review" ? { persona: "Strict.", criteria: ["Names are plain."] } : {};
  return object("AgentPool", name, { role, replicas, ...more }) as Draft<AgentPool>;
}

function namedProject(name: string, spec: Partial<ProjectSpec> = {}, labels = {}): Draft<Project> {
  const draft = object("Project", name, {
    title: `Project ${name}`,
    acceptanceCriteria: [{ id: "AC-1", text: "It works." }],
    ...spec,
  });
  return { ...draft, metadata: { ...draft.metadata, labels } } as Draft<Project>;
}

/** The `number`-th that people think of. */
function project(number: number, chance: Prng): Draft<Project> {
  const tasks = Array.from({ length: chance.below(4) }, (_, index) => ({
    id: `T-${index + 1}`,
    title: `Step ${index + 1}`,
  }));
  const category = PROJECT_CATEGORIES[chance.below(PROJECT_CATEGORIES.length)];
  const short = chance.chance(0.1);
  return namedProject(
    `p${number}`,
    {
      tasks,
      ...(category === undefined || chance.chance(0.5) ? {} : { category }),
      ...(short ? { limits: { projectSeconds: 1800 + chance.below(3600) } } : {}),
    },
    chance.chance(0.1) ? { [FIXES_BASELINE_LABEL]: "true" } : {},
  );
}

function object(kind: string, name: string, spec: object) {
  return { apiVersion: API_VERSION, kind, metadata: { namespace, name }, spec };
}
