/** What a session is told: the Project as it was claimed, or the commit under review. */
import type { Agent, AgentPool, Workspace } from "../../pkg/api/generated.ts";
import type { Checkout } from "../../pkg/git/repository.ts";
import type { SessionSpec } from "../../pkg/session/sessions.ts";
import type { Deps } from "../deps.ts";
import type { Work } from "./observe.ts";

/** Bytes of the patch that a reviewer is shown at once; it reads the rest in the checkout. */
const patchBytesMax = 60_000;

export async function sessionSpec(
  work: Work,
  agent: Agent,
  checkout: Checkout,
  workspace: Workspace,
  pool: AgentPool,
  deps: Deps,
): Promise<SessionSpec> {
  const { limits } = workspace.spec;
  const common = {
    id: work.claim.session,
    agent: agent.metadata.name,
    pool: pool.metadata.name,
    labels: agent.metadata.labels ?? {},
    checkout: checkout.path,
    branch: checkout.branch,
    model: pool.spec.model,
    maxOutputTokens: pool.spec.maxOutputTokens,
    maxTurns: limits.sessionTurns,
    toolTimeoutSeconds: limits.toolSeconds,
    sandbox: deps.sandbox,
  };
  return work.kind === "Project"
    ? { ...common, ...executes(work, agent, workspace, checkout, deps) }
    : { ...common, ...(await reviews(work, agent, pool, deps)) };
}

type Told = Pick<
  SessionSpec,
  | "run"
  | "purpose"
  | "claim"
  | "project"
  | "system"
  | "message"
  | "tasks"
  | "criteria"
  | "setup"
  | "checkoutId"
>;

function executes(
  { project, claim }: Work & { kind: "Project" },
  agent: Agent,
  workspace: Workspace,
  checkout: Checkout,
  { prompts }: Deps,
): Told {
  const { spec, status = {} } = project;
  const tasks = spec.tasks ?? [];
  const criteria = claim.criteria ?? [];
  const commands = Object.fromEntries(
    Object.entries(workspace.spec.commands).map(([name, command]) => [name, command.run]),
  );
  const opening = prompts.execute({
    agent: agent.metadata.name,
    project: {
      title: spec.title,
      category: spec.category,
      description: spec.description ?? "",
      tasks,
      criteria,
    },
    branch: checkout.branch,
    commands,
    protectedPaths: workspace.spec.protectedPaths,
  });
  const cyclesMax = workspace.spec.limits.reviewCycles + (status.extraCycles ?? 0);
  const failure = status.mergeFailure;
  const merge =
    failure !== undefined && failure.run === claim.run - 1 && failure.head === status.submission?.head;
  const rework =
    claim.message === undefined
      ? undefined
      : prompts.rework({
          cause: merge ? "Merge" : "Review",
          cycle: (status.reviewCycles ?? 0) + 1,
          cyclesMax,
          feedback: claim.message,
          target: merge ? failure.target : undefined,
          conflictingFiles: merge ? (failure.files ?? []) : [],
        }).message;
  // A session that never saw the Project (another agent's, after a reassignment) needs both.
  const first = claim.run === 1 || status.submission?.claim !== claim.number;
  const message = rework === undefined ? opening.message : first ? `${opening.message}\n\n${rework}` : rework;
  return {
    run: claim.run,
    purpose: "execute",
    checkoutId: checkout.id,
    claim: {
      kind: "Project",
      name: project.metadata.name,
      uid: project.metadata.uid ?? "",
      number: claim.number,
    },
    project: project.metadata.name,
    system: opening.system,
    message,
    tasks: tasks.map(({ id, title }) => ({ id, title })),
    criteria,
    ...setupOf(workspace),
  };
}

/** Only who writes needs a checkout that is ready: a reviewer reads what the checks found. */
function setupOf({ spec }: Workspace): Pick<SessionSpec, "setup"> {
  const { setup } = spec.commands;
  if (setup === undefined) return {};
  const network = spec.setupNetwork === "Host" ? "host" : "none";
  return { setup: { run: setup.run, timeoutSeconds: setup.timeoutSeconds, network } };
}

async function reviews(
  { review, project, claim }: Work & { kind: "Review" },
  agent: Agent,
  pool: AgentPool,
  { prompts, repository }: Deps,
): Promise<Told> {
  const { spec, status } = review;
  const extra = (pool.spec.criteria ?? []).map((text, index) => ({ id: `PC-${index + 1}`, text }));
  const criteria = [...(spec.criteria ?? []), ...extra];
  const { patch } = await repository.changes(spec.baseCommit, spec.headCommit, patchBytesMax);
  const { system, message } = prompts.review({
    reviewer: agent.metadata.name,
    persona: pool.spec.persona,
    project: {
      title: project?.spec.title ?? spec.project,
      category: project?.spec.category,
      description: project?.spec.description ?? "",
    },
    criteria,
    base: spec.baseCommit,
    head: spec.headCommit,
    summary: spec.summary ?? "",
    checks: (status?.checks ?? []).map(({ name, result, output = "" }) => ({ name, result, output })),
    findings: status?.findings ?? [],
    diff: patch,
  });
  return {
    run: 1,
    purpose: "review",
    claim: {
      kind: "Review",
      name: review.metadata.name,
      uid: review.metadata.uid ?? "",
      number: claim.number,
    },
    project: spec.project,
    system,
    message,
    tasks: [],
    criteria,
  };
}
