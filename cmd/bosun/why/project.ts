/** Why a project is not moving. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import { ACTIONS } from "../../../pkg/api/escalations.ts";
import type { Agent, Project, Review } from "../../../pkg/api/generated.ts";
import type { Condition } from "../../../pkg/api/meta.ts";
import { FIXES_BASELINE_LABEL } from "../../../pkg/api/names.ts";
import { whyAgent } from "./agent.ts";
import { type Answer, firstOf, moving, standing, type World } from "./answer.ts";
import { baselineStands, budgetStands, everythingStands, queueStands } from "./everything.ts";

export function whyProject(project: Project, world: World): Answer {
  return (
    firstOf([
      () => ended(project),
      () => escalated(project, world),
      () => skipped(project),
      () => everythingStands(world),
      () => categoryPaused(project, world),
    ]) ?? byPhase(project, world)
  );
}

function ended({ status }: Project): Answer | undefined {
  switch (status?.phase) {
    case "Done":
      return moving(
        `It is done${status.mergeCommit === undefined ? "" : `: merged as ${status.mergeCommit.slice(0, 10)}`}.`,
      );
    case "Rejected":
      return standing("The proposal was rejected.");
    default:
      return undefined;
  }
}

function escalated({ metadata, status }: Project, { escalations }: World): Answer | undefined {
  const open = escalations.find(
    ({ metadata: { name }, spec, status: seen }) =>
      seen?.state !== "Resolved" &&
      spec.resolution === undefined &&
      (name === status?.escalation || spec.project === metadata.name),
  );
  if (open !== undefined) {
    const actions = ACTIONS[open.spec.reason].join("|");
    return standing(
      `A person has to decide (${open.spec.reason}). ${open.spec.message ?? ""}`.trim(),
      `bosun resolve ${open.metadata.name} ${actions}`,
    );
  }
  if (status?.phase !== "Abandoned") return undefined;
  const abandoned = getCondition(status.conditions, "Abandoned");
  return standing(
    `It was given up. ${abandoned?.message ?? ""}`.trim(),
    `Its work is on the branch ${status.branch ?? "(none)"}.`,
  );
}

function skipped({ metadata, spec }: Project): Answer | undefined {
  return spec.skip ? standing("It is skipped (spec.skip).", `bosun skip ${metadata.name} --undo`) : undefined;
}

function categoryPaused({ spec }: Project, { categories }: World): Answer | undefined {
  const category = categories.find(({ metadata }) => metadata.name === spec.category);
  if (category?.spec.mode !== "Paused") return undefined;
  return standing(
    `Its category ${category.metadata.name} is paused.`,
    `bosun resume category ${category.metadata.name}`,
  );
}

function byPhase(project: Project, world: World): Answer {
  switch (project.status?.phase) {
    case "Working":
      return held(project, world);
    case "InReview":
      return inReview(project, world);
    case "Approved":
      return approved(project, world);
    case "Merging":
      return moving("It is being merged.");
    default:
      return project.status?.claim === undefined ? waiting(project, world) : held(project, world);
  }
}

/** Somebody has it: it moves when that agent does. */
function held({ status }: Project, world: World): Answer {
  const name = status?.claim?.agent ?? "";
  const agent = world.agents.find(({ metadata }) => metadata.name === name);
  if (agent === undefined) return moving(`${name} had it and is gone; the claim is released in a moment.`);
  const { because, ...answer } = whyAgent(agent, world);
  return { ...answer, because: `${name} has it. ${because}` };
}

/** Nobody has it yet. */
function waiting(project: Project, world: World): Answer {
  const isExempt = project.metadata.labels?.[FIXES_BASELINE_LABEL] !== undefined;
  const stands = firstOf([
    () => (isExempt ? undefined : baselineStands(world)),
    () => budgetStands(undefined, world),
    () => failing(project, "Affordable", "Raise the Budget's limit, or wait for the next window."),
    () => assignee(project, world),
    () => nobodyFree(world),
  ]);
  return stands ?? moving("An agent will claim it in a moment.");
}

function assignee({ metadata, spec }: Project, world: World): Answer | undefined {
  if (spec.assignedAgent === undefined) return undefined;
  const agent = world.agents.find(({ metadata: { name } }) => name === spec.assignedAgent);
  const free = `bosun unassign ${metadata.name}`;
  if (agent === undefined)
    return standing(`It is assigned to ${spec.assignedAgent}, which doesn't exist.`, free);
  if (agent.spec.role !== "Execution")
    return standing(
      `It is assigned to ${spec.assignedAgent}, which reviews and takes no projects.`,
      `bosun assign ${metadata.name} AGENT`,
      free,
    );
  if (agent.status?.project !== undefined && agent.status.project !== metadata.name) {
    return standing(`It is assigned to ${spec.assignedAgent}, which has ${agent.status.project}.`, free);
  }
  const answer = whyAgent(agent, world);
  return answer.isMoving
    ? undefined
    : {
        ...answer,
        because: `It is assigned to ${spec.assignedAgent}. ${answer.because}`,
        remedies: [...answer.remedies, free],
      };
}

function nobodyFree(world: World): Answer | undefined {
  const agents = world.agents.filter(({ spec }) => spec.role === "Execution");
  if (agents.length === 0) return standing("There is no execution agent.", scaleUp(world, "Execution"));
  const free = agents.filter(({ status }) => status?.project === undefined);
  if (free.length === 0) {
    const busy = agents
      .map((agent) => `${agent.metadata.name} has ${agent.status?.project ?? "none"}`)
      .join(", ");
    return standing(`Every agent has work: ${busy}.`, "Wait for one, or", scaleUp(world, "Execution"));
  }
  return free
    .map((agent) => unable(agent, world))
    .find((answer, _, all) => answer !== undefined && all.every((other) => other !== undefined));
}

/** Why a free agent can't claim; that nothing waits for it is no reason here. */
function unable(agent: Agent, world: World): Answer | undefined {
  const answer = whyAgent(agent, { ...world, projects: [] });
  const isIdle = agent.status?.activity === "idle" || agent.status === undefined;
  const isHindered = !answer.isMoving && !answer.because.startsWith("No project waits");
  return isHindered || !isIdle
    ? { ...answer, because: `${agent.metadata.name}: ${answer.because}` }
    : undefined;
}

function inReview(project: Project, world: World): Answer {
  const review = world.reviews.find(({ metadata }) => metadata.name === project.status?.review);
  const author = project.status?.submission?.agent;
  return (
    firstOf([
      () => (review?.status?.claim === undefined ? undefined : reviewing(review, world)),
      () => checksRunning(project),
      () => budgetStands(undefined, world),
      () => failing(project, "ReviewerAvailable", scaleUp(world, "Review")),
      () => noReviewer(author, world),
      () => failing(project, "ChecksPassed", `bosun describe project ${project.metadata.name}`),
    ]) ?? moving("A reviewer will claim it in a moment.")
  );
}

/** The operator's own checks come before a reviewer's time. */
function checksRunning({ status }: Project): Answer | undefined {
  const checks = getCondition(status?.conditions, "ChecksPassed");
  return checks?.status === "Unknown" ? moving(`${checks.reason}: ${checks.message}`) : undefined;
}

function reviewing({ status }: Review, world: World): Answer {
  const name = status?.claim?.agent ?? "";
  const agent = world.agents.find(({ metadata }) => metadata.name === name);
  if (agent === undefined) return moving(`${name} reviewed it and is gone; another will.`);
  const { because, ...answer } = whyAgent(agent, world);
  return { ...answer, because: `${name} reviews it. ${because}` };
}

function noReviewer(author: string | undefined, world: World): Answer | undefined {
  const reviewers = world.agents.filter(
    ({ metadata, spec }) => spec.role === "Review" && metadata.name !== author,
  );
  if (reviewers.length === 0) return standing("There is no review agent.", scaleUp(world, "Review"));
  const free = reviewers.filter(({ status }) => status?.review === undefined);
  if (free.length > 0) return undefined;
  return standing(
    `Every reviewer has a review: ${reviewers.map(({ metadata }) => metadata.name).join(", ")}.`,
    "Wait for one, or",
    scaleUp(world, "Review"),
  );
}

function approved(project: Project, world: World): Answer {
  const head = project.status?.submission?.head ?? project.status?.head ?? "";
  const isManual = world.workspace?.spec.merge.mode === "Manual";
  if (isManual && (project.spec.approvedHead === undefined || !head.startsWith(project.spec.approvedHead))) {
    return standing(
      "It is approved and waits for you: the merge mode is Manual.",
      `Set spec.approvedHead of ${project.metadata.name} to ${head}.`,
    );
  }
  return (
    firstOf([
      () => queueStands(world),
      () =>
        failing(
          project,
          "ChecksConfigured",
          "Write a test command into .claude-sessions/workspace.yaml, or `checks: None`.",
        ),
      () =>
        workspaceFailing(
          world,
          "ChecksConfigured",
          "Write a test command into .claude-sessions/workspace.yaml, or `checks: None`.",
        ),
      () => failing(project, "ChecksPassed", `bosun describe project ${project.metadata.name}`),
    ]) ?? moving("It is approved and waits its turn in the merge queue.")
  );
}

function failing({ status }: Project, type: string, remedy: string): Answer | undefined {
  return isFailing(getCondition(status?.conditions, type), remedy);
}

function workspaceFailing({ workspace }: World, type: string, remedy: string): Answer | undefined {
  return isFailing(getCondition(workspace?.status?.conditions, type), remedy);
}

function isFailing(condition: Condition | undefined, remedy: string): Answer | undefined {
  return condition?.status === "False"
    ? standing(`${condition.reason}: ${condition.message}`, remedy)
    : undefined;
}

function scaleUp({ pools }: World, role: "Execution" | "Review"): string {
  const pool = pools.find(({ spec }) => spec.role === role);
  if (pool === undefined) return `Declare an AgentPool with role ${role} in .claude-sessions/pools.yaml.`;
  return `bosun scale ${pool.metadata.name} ${pool.spec.replicas + 1}`;
}
