/** Objects for tables of decisions: valid, with what a row says put on top. */
import type {
  Agent,
  AgentPool,
  AgentPoolSpec,
  AgentSpec,
  AgentStatus,
  Budget,
  BudgetSpec,
  BudgetStatus,
  Project,
  ProjectClaim,
  ProjectSpec,
  ProjectStatus,
  Review,
  ReviewSpec,
  ReviewStatus,
  Workspace,
  WorkspaceSpec,
  WorkspaceStatus,
} from "../../pkg/api/generated.ts";
import type { Condition } from "../../pkg/api/meta.ts";
import { API_VERSION } from "../../pkg/api/names.ts";

export const NOW = Date.UTC(2026, 0, 5, 12);

const meta = (name: string) => ({ name, namespace: "default", uid: `uid-of-${name}`, generation: 1 });

export function condition(type: string, status: Condition["status"], reason = "Said"): Condition {
  return { type, status, reason, message: reason, lastTransitionTime: "2026-01-05T12:00:00Z" };
}

export function anAgent(status: AgentStatus = {}, spec: Partial<AgentSpec> = {}): Agent {
  return {
    apiVersion: API_VERSION,
    kind: "Agent",
    metadata: meta("agent-1"),
    spec: { pool: "builders", role: "Execution", paused: false, ...spec },
    status,
  };
}

/** Of `builders`, which work on Projects. */
export function aPool(name = "builders", spec: Partial<AgentPoolSpec> = {}): AgentPool {
  return {
    apiVersion: API_VERSION,
    kind: "AgentPool",
    metadata: meta(name),
    spec: {
      ...{ role: "Execution", replicas: 1, runner: "sdk", model: "claude-sonnet-5-5" },
      ...{ maxOutputTokens: 16_000, paused: false, ...spec },
    },
  };
}

export function leaving<T extends { metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-05T12:00:00Z" } };
}

export function aClaim(claim: Partial<ProjectClaim> = {}): ProjectClaim {
  return { agent: "agent-1", agentUID: "uid-of-agent-1", number: 1, session: "s1", run: 1, ...claim };
}

export function aProject(status: ProjectStatus = {}, spec: Partial<ProjectSpec> = {}): Project {
  return {
    apiVersion: API_VERSION,
    kind: "Project",
    metadata: meta("retry"),
    spec: { title: "Retry uploads", origin: "Human", skip: false, ...spec },
    status: { number: 1, creationRevision: "5", ...status },
  };
}

/** Handed over by agent-1 at `head`. */
export const submitted = (head = "aaaaaaaa", run = 1) => ({
  head,
  run,
  claim: 1,
  agent: "agent-1",
  summary: "Done.",
});

export const approved = (head = "aaaaaaaa", by = "agent-9") => ({
  head,
  run: 1,
  result: "Approved" as const,
  by,
});

export const rejected = (head = "aaaaaaaa") => ({
  head,
  run: 1,
  result: "ChangesRequested" as const,
  by: "agent-9",
  feedback: "Mend it.",
});

export function aReview(status: ReviewStatus = {}, spec: Partial<ReviewSpec> = {}): Review {
  return {
    apiVersion: API_VERSION,
    kind: "Review",
    metadata: meta("retry-1"),
    spec: {
      project: "retry",
      type: "Completion",
      cycle: 1,
      baseCommit: "bbbbbbbb",
      headCommit: "aaaaaaaa",
      author: "agent-1",
      criteria: [{ id: "AC-1", text: "It retries." }],
      ...spec,
    },
    status,
  };
}

export function aWorkspace(spec: Partial<WorkspaceSpec> = {}, status: WorkspaceStatus = {}): Workspace {
  return {
    apiVersion: API_VERSION,
    kind: "Workspace",
    metadata: meta("workspace"),
    spec: {
      repository: { path: ".", targetBranch: "main" },
      checkout: {},
      checks: "Required",
      commands: { test: { run: "npm test", timeoutSeconds: 600 } },
      setupNetwork: "None",
      limits: {
        projectSeconds: 28_800,
        reviewSeconds: 7200,
        stuckSeconds: 1800,
        reviewCycles: 3,
        pendingConflicts: 3,
        toolSeconds: 600,
        sessionTurns: 200,
      },
      protectedPaths: [".github/**"],
      mode: "Running",
      merge: { mode: "Auto" },
      sandbox: "Required",
      commits: {},
      gateway: {},
      ...spec,
    } as WorkspaceSpec,
    status,
  };
}

export function aBudget(spec: Partial<BudgetSpec> = {}, status: BudgetStatus = {}): Budget {
  return {
    apiVersion: API_VERSION,
    kind: "Budget",
    metadata: meta("all"),
    spec: { daily: { usd: 10 }, timeZone: "UTC", alertPercents: [50, 75, 90], ...spec },
    status,
  };
}
