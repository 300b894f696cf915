/** Why an agent is not moving. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Agent } from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import { isClaimable, isFor } from "../../../pkg/api/phases.ts";
import { type Answer, firstOf, moving, standing, type World } from "./answer.ts";
import { baselineStands, budgetStands, everythingStands } from "./everything.ts";

export function whyAgent(agent: Agent, world: World): Answer {
  return (
    firstOf([
      () => everythingStands(world),
      () => paused(agent, world),
      () => budgetStands(agent, world),
      () => notReady(agent, world),
      () => atWork(agent, world),
      () => waitsForReview(agent),
      () => baselineStands(world),
    ]) ?? idle(agent, world)
  );
}

function paused({ metadata, spec }: Agent, { pools }: World): Answer | undefined {
  if (spec.paused) return standing(`${metadata.name} is paused.`, `bosun resume agent ${metadata.name}`);
  const pool = pools.find((candidate) => candidate.metadata.name === spec.pool);
  return pool?.spec.paused === true
    ? standing(`Its pool ${spec.pool} is paused.`, `bosun resume pool ${spec.pool}`)
    : undefined;
}

/** What another session would meet again. */
const checkoutReasons: ReadonlySet<string> = new Set(["CheckoutDamaged", "BranchMissing"]);

function notReady({ metadata, status }: Agent, { now }: World): Answer | undefined {
  const ready = getCondition(status?.conditions, "Ready");
  const isLate = ready?.reason === "HeartbeatLate";
  if (ready === undefined || (ready.status !== "False" && !isLate) || ready.reason === "Paused")
    return undefined;
  if (ready.reason === "UsageLimited") return standing(ready.message, "Nothing: it goes on by itself then.");
  if (ready.reason === "UpstreamUnavailable")
    return standing(
      `The model gives no answer: ${ready.message}`,
      "Nothing, if that passes: it is asked again and again, at no cost, and goes on by itself.",
      "Else look at the network, ANTHROPIC_BASE_URL, the key and the account's credit, then start `bosun up` again.",
    );
  const project = status?.project;
  if (checkoutReasons.has(ready.reason) && project !== undefined)
    return standing(
      `${ready.reason}: ${ready.message}`,
      `bosun skip ${project}, then bosun skip ${project} --undo: its checkout is put aside, and the work goes on from what was collected.`,
    );
  const retry = status?.nextStartTime;
  const waits = retry === undefined || Date.parse(retry) <= now ? [] : [`It is tried again at ${retry}.`];
  return standing(
    `${ready.reason}: ${ready.message}`,
    ...waits,
    `bosun logs ${metadata.name}`,
    `bosun restart ${metadata.name}`,
  );
}

function atWork({ status }: Agent, { now, reviews }: World): Answer | undefined {
  if (status?.activity !== "working" && status?.activity !== "reviewing") return undefined;
  const about =
    reviews.find(({ metadata }) => metadata.name === status.review)?.spec.project ?? status.project;
  const task = status.currentTask === undefined ? "" : `, at ${status.currentTask}`;
  const last = status.session?.lastActivityTime;
  const active = last === undefined ? "" : `; the model or a tool did something ${ageOf(last, now)} ago`;
  return moving(`It is ${status.activity}${about === undefined ? "" : ` on ${about}`}${task}${active}.`);
}

function waitsForReview({ status }: Agent): Answer | undefined {
  if (status?.state !== "AwaitingReview" && status?.state !== "Approved") return undefined;
  const doing = status.state === "Approved" ? "to be merged" : "to be reviewed";
  return moving(
    `It keeps ${status.project ?? "its project"}, which waits ${doing}: bosun why ${status.project ?? ""}`.trimEnd() +
      ".",
  );
}

function idle({ metadata, spec }: Agent, { projects, reviews, categories }: World): Answer {
  if (spec.role === "Review") {
    const open = reviews.some(({ status }) => status?.state === "Pending" || status?.state === undefined);
    return open
      ? moving("A review waits; it will claim it in a moment.")
      : moving("There is nothing to review.");
  }
  const paused = new Set(categories.filter(isPaused).map(({ metadata: { name } }) => name));
  const open = projects.filter(isClaimable);
  if (open.some((project) => isFor(metadata.name, project, paused)))
    return moving("A project waits; it will claim it in a moment unless another does.");
  if (open.length > 0)
    return standing(
      "The projects that wait are assigned to other agents, or their category is paused.",
      `bosun why ${open[0]?.metadata.name ?? ""}`,
    );
  const skipped = projects.filter((project) => project.spec.skip).map(({ metadata }) => metadata.name);
  const remedies = ["Declare a project in .claude-sessions/projects/."];
  if (skipped.length > 0) remedies.push(`Or bring one back: bosun skip ${skipped[0]} --undo`);
  return standing("No project waits for an agent.", ...remedies);
}

function isPaused({ spec }: World["categories"][number]): boolean {
  return spec.mode === "Paused";
}
