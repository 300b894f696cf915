/** What an Agent's decision is based on: read from caches and the world, nothing is changed. */
import { getCondition, isTrue } from "../../pkg/api/conditions.ts";
import type {
  Agent,
  AgentPool,
  Budget,
  Project,
  ProjectClaim,
  Review,
  ReviewClaim,
  Workspace,
} from "../../pkg/api/generated.ts";
import { FIXES_BASELINE_LABEL } from "../../pkg/api/names.ts";
import { isClaimable, isFor, pendingSubmission } from "../../pkg/api/phases.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import { priceOf } from "../../pkg/gateway/prices.ts";
import type { CheckoutState, Seen } from "../../pkg/git/repository.ts";
import type { Outcome, SessionObservation } from "../../pkg/session/sessions.ts";
import { mayBegin, standings } from "../affordability.ts";
import { budgetMark, limitsHaveChanged } from "../budget-mark.ts";
import { budgetsInForce, byAge, type Deps, matches, theWorkspace } from "../deps.ts";
import { whyExceeded } from "../exceeded.ts";
import { observeFunds, pursesOf } from "../funds.ts";
import { lookAt } from "./looks.ts";

/** The one thing an agent has claimed. */
export type Work =
  | { kind: "Project"; project: Project; claim: ProjectClaim }
  | { kind: "Review"; review: Review; project: Project | undefined; claim: ReviewClaim };

/** Why nothing may be started now, and what becomes of what runs. */
export interface Hold {
  reason: Reason;
  message: string;
  /** `AfterTurn`, `Now`, or leave it alone. */
  running: "AfterTurn" | "Now" | "GoesOn";
  /** When it ends by itself; wall time, ms. */
  untilMs?: number;
}

export interface Observation {
  now: number;
  workspace: Workspace | undefined;
  pool: AgentPool | undefined;
  work: Work | undefined;
  /** Of the work's session, or of the session that the status still names; undefined for one that is over and done with. */
  session: SessionObservation | undefined;
  /** The running numbers are due to be taken in. */
  due: boolean;
  /** When they are due next, in milliseconds from now. */
  dueInMs: number;
  /** Looked at when that is due. */
  checkout: Seen<CheckoutState> | undefined;
  hold: Hold | undefined;
  /**
   * The windows and limits in force for this agent: of the Budgets that refused its session where they are known, else
   * of all. Empty: none of those holds for it any more.
   */
  budgetMark: string;
  /** Those that hold now are others than its session was refused under. */
  limitsChanged: boolean;
  /** Generations of what a session depends on: when they change, what failed may succeed. */
  specMark: string;
  /** What it could claim, the first first; empty for an agent that has work or is held. */
  candidates: readonly (Project | Review)[];
  /** There is more that it could claim, if more money were left. */
  waitsForMoney: boolean;
}

/** How soon a gateway that can't be asked is asked again, in milliseconds. */
const unknownAgainMs = 10_000;
/** A limit that ends this moment is no reason to look again in the same, in milliseconds. */
const heldMsMin = 1_000;
/** Sessions that may fail to come to an end before a person is asked. */
const timeoutsMax = 2;

export async function observe(agent: Agent, deps: Deps): Promise<Observation> {
  const { client, clock, namespace, sessions, repository } = deps;
  const now = clock.now();
  const workspace = await theWorkspace(deps);
  const pool = await client.get("AgentPool", { namespace, name: agent.spec.pool });
  const work = await workOf(agent, deps);
  const id = work?.claim.session ?? agent.status?.session?.id;
  const session = id === undefined || rests(agent, work) ? undefined : await sessions.find(id);
  const budgets = await matchingBudgets(agent, deps);
  const paused = await pausedCategories(deps);
  const latched = await endedByLatch(agent, work, session, deps);
  const hold =
    holdOf(agent, { workspace, pool, budgets, category: categoryOf(work, paused), latched }) ??
    (await usageHold(pool, workspace, session, deps)) ??
    (await violationHold(budgets, session, deps));
  const isFree = work === undefined && hold === undefined && workspace !== undefined;
  const queue = isFree ? await candidates(agent, workspace, paused, deps) : [];
  const affordable = await affordableNow(queue, agent, deps);
  const { due, nextMs } = lookAt(agent, { work, workspace, session, now });
  const looks = work?.kind === "Project" && session?.is === "present" && due;
  return {
    now,
    workspace,
    pool,
    work,
    session,
    due,
    dueInMs: nextMs,
    checkout: looks ? await repository.checkoutState(gitClaim(work), "execute") : undefined,
    hold,
    budgetMark: markOf(refusing(budgets, session)),
    limitsChanged: limitsHaveChanged(pauseOf(session)?.limits, refusing(budgets, session)),
    specMark: [workspace, pool, agent].map((object) => object?.metadata.generation ?? 0).join("/"),
    candidates: affordable,
    waitsForMoney: affordable.length < queue.length,
  };
}

/** Handed over, and reported so: its session came to an end, and no other is started before changes are asked for. */
function rests({ status }: Agent, work: Work | undefined): boolean {
  if (work?.kind !== "Project" || status?.session?.id !== work.claim.session) return false;
  const waits = status.state === "AwaitingReview" || status.state === "Approved";
  return waits && pendingSubmission(work.project.status ?? {})?.claim === work.claim.number;
}

/** The claim as git fences it: reviews have checkouts, but move no ref of the Project. */
export function gitClaim(work: Work): { project: string; number: number; agent: string } {
  const { claim } = work;
  const project = work.kind === "Project" ? work.project.metadata.name : work.review.metadata.name;
  return { project, number: claim.number, agent: claim.agent };
}

async function workOf(agent: Agent, { client, namespace }: Deps): Promise<Work | undefined> {
  const { name, uid } = agent.metadata;
  if (agent.spec.role === "Execution") {
    const { items } = await client.list("Project", { namespace });
    const project = items.find(
      ({ status }) => status?.claim?.agent === name && status.claim.agentUID === uid,
    );
    const claim = project?.status?.claim;
    return project === undefined || claim === undefined ? undefined : { kind: "Project", project, claim };
  }
  const { items } = await client.list("Review", { namespace });
  const review = items.find(
    ({ status, metadata }) =>
      metadata.deletionTimestamp === undefined &&
      status?.claim?.agent === name &&
      status.claim.agentUID === uid &&
      status.state === "Reviewing",
  );
  const claim = review?.status?.claim;
  if (review === undefined || claim === undefined) return undefined;
  const project = await client.get("Project", { namespace, name: review.spec.project });
  return { kind: "Review", review, project, claim };
}

async function matchingBudgets(agent: Agent, deps: Deps): Promise<readonly Budget[]> {
  const budgets = await budgetsInForce(deps);
  return budgets.filter((budget) => matches(budget, agent.metadata.labels));
}

/** Others that hold for the agent too have more left: what they say is neither the reason nor the way out. */
function refusing(budgets: readonly Budget[], session: SessionObservation | undefined): readonly Budget[] {
  const names = pauseOf(session)?.budgets;
  return names === undefined ? budgets : budgets.filter(({ metadata }) => names.includes(metadata.name));
}

function pauseOf(session: SessionObservation | undefined): Extract<Outcome, { kind: "Paused" }> | undefined {
  const outcome = session?.is === "absent" ? session.report?.outcome : undefined;
  return outcome?.kind === "Paused" ? outcome : undefined;
}

/** Changes when a window turns or a person changes a limit: then a refused request may be tried again. */
function markOf(budgets: readonly Budget[]): string {
  return budgets.map(budgetMark).sort().join(" ").slice(0, 1024);
}

/** A session that ended without a word may have been ended by the emergency stop: the latch knows it first. */
async function endedByLatch(
  { status }: Agent,
  work: Work | undefined,
  session: SessionObservation | undefined,
  { latch }: Deps,
): Promise<boolean> {
  // One that never began was not ended; where the latch is engaged none is started.
  if (work === undefined || status?.session?.id !== work.claim.session) return false;
  if (session?.is !== "absent" || session.report?.outcome !== undefined) return false;
  return latch.engaged();
}

/**
 * Whether the plan's usage is used up for the agent's model: as the Workspace says, or, when the session was just turned
 * away, as the gateway does. One that can't be asked may still hold it.
 */
async function usageHold(
  pool: AgentPool | undefined,
  workspace: Workspace | undefined,
  session: SessionObservation | undefined,
  { money, clock }: Deps,
): Promise<Hold | undefined> {
  const now = clock.now();
  const model = priceOf(pool?.spec.model ?? "")?.model;
  const said = getCondition(workspace?.status?.conditions, "UsageLimited");
  const recorded = (workspace?.status?.usageLimits ?? [])
    .filter((limit) => limit.model === undefined || limit.model === model)
    .map(({ untilTime }) => Date.parse(untilTime))
    .find((untilMs) => untilMs > now);
  if (recorded !== undefined && said !== undefined) return usedUp(said.message, recorded);
  const outcome = pauseOf(session);
  if (outcome?.reason !== "UsageLimited") return undefined;
  const limits = await money.usageLimits();
  if (limits === undefined) return usedUp(outcome.message, now + unknownAgainMs);
  const limit = limits.find((one) => one.model === undefined || one.model === model);
  // Not when it ends by this clock: the gateway counts by one that no setting changes, and asks sooner for a long one.
  return limit === undefined ? undefined : usedUp(outcome.message, now + Math.max(limit.leftMs, heldMsMin));
}

/**
 * Whether a bound is violated still, when the session was just turned away for that and no Budget says so yet. No limit and
 * no window ends it: a person does, and the session goes on then.
 */
async function violationHold(
  budgets: readonly Budget[],
  session: SessionObservation | undefined,
  { money, clock }: Deps,
): Promise<Hold | undefined> {
  const outcome = pauseOf(session);
  if (outcome?.reason !== "BoundViolated") return undefined;
  const [budget] = budgets;
  if (budget === undefined) return undefined;
  const account = await money.account(budget.metadata.name);
  if (account !== undefined && !account.boundViolated) return undefined;
  const untilMs = clock.now() + unknownAgainMs;
  return { reason: "BudgetExceeded", message: outcome.message, running: "GoesOn", untilMs };
}

function usedUp(message: string, untilMs: number): Hold {
  return { reason: "UsageLimited", message, running: "GoesOn", untilMs };
}

/** Names of the categories whose Projects wait. */
async function pausedCategories({ client, namespace }: Deps): Promise<ReadonlySet<string>> {
  const { items } = await client.list("Category", { namespace });
  return new Set(items.filter(({ spec }) => spec.mode === "Paused").map(({ metadata }) => metadata.name));
}

/** The paused category that the work belongs to. */
function categoryOf(work: Work | undefined, paused: ReadonlySet<string>): string | undefined {
  const category = work?.project?.spec.category;
  return category !== undefined && paused.has(category) ? category : undefined;
}

interface Policies {
  workspace: Workspace | undefined;
  pool: AgentPool | undefined;
  budgets: readonly Budget[];
  /** Paused, and the work's. */
  category: string | undefined;
  /** The stop latch is engaged, and the mode may not say so yet. */
  latched: boolean;
}

function holdOf(agent: Agent, { workspace, pool, budgets, category, latched }: Policies): Hold | undefined {
  const pause = (reason: Reason, message: string): Hold => ({ reason, message, running: "AfterTurn" });
  if (workspace === undefined)
    return {
      reason: "NoWorkspace",
      message: "There is no Workspace. Add one to .claude-sessions/.",
      running: "GoesOn",
    };
  if (workspace.spec.mode === "Stopped" || latched)
    return {
      reason: "Stopped",
      message: "Everything is stopped. `bosun resume` lets work go on.",
      running: "Now",
    };
  if (workspace.spec.mode === "Paused") return pause("WorkspacePaused", "The Workspace's mode is Paused.");
  if (pool?.spec.paused) return pause("PoolPaused", `The pool ${agent.spec.pool} is paused.`);
  if (agent.spec.paused) return pause("AgentPaused", "The agent is paused.");
  if (category !== undefined) return pause("CategoryPaused", `The category ${category} is paused.`);
  if (agent.metadata.deletionTimestamp !== undefined)
    return { reason: "Leaving", message: "The agent is being removed.", running: "GoesOn" };
  if (budgets.length === 0)
    return {
      reason: "NoBudget",
      message: "No Budget holds for this agent, so nothing may be spent.",
      running: "GoesOn",
    };
  const exceeded = budgets.find(({ status }) => isTrue(status?.conditions, "Exceeded"));
  if (exceeded !== undefined)
    return { reason: "BudgetExceeded", message: whyExceeded(exceeded), running: "GoesOn" };
  return undefined;
}

async function candidates(
  agent: Agent,
  workspace: Workspace,
  paused: ReadonlySet<string>,
  deps: Deps,
): Promise<readonly (Project | Review)[]> {
  const { client, namespace } = deps;
  if (agent.spec.role === "Review") {
    const { items } = await client.list("Review", { namespace });
    return items
      .filter(
        ({ spec, status, metadata }) =>
          metadata.deletionTimestamp === undefined &&
          status?.state === "Pending" &&
          (status.timeouts ?? 0) < timeoutsMax &&
          spec.author !== agent.metadata.name,
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .sort(
        (a, b) =>
          Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? ""),
      );
  }
  const { items } = await client.list("Project", { namespace });
  const { items: agents } = await client.list("Agent", { namespace });
  const others = agents.filter(
    ({ spec, metadata }) => spec.role === "Execution" && metadata.uid !== agent.metadata.uid,
  );
  const sound = isTrue(workspace.status?.conditions, "BaselinePassing");
  return items
    .filter(
      (project) =>
        isClaimable(project) &&
        isFor(agent.metadata.name, project, paused) &&
        !isPassedOver(agent, project, others) &&
        (sound || project.metadata.labels?.[FIXES_BASELINE_LABEL] !== undefined) &&
        getCondition(project.status?.conditions, "Affordable") !== undefined,
    )
    .sort(byAge);
}

/** Those that may begin with what is left this moment: the condition may lag behind the ledger. */
async function affordableNow(
  queue: readonly (Project | Review)[],
  { metadata }: Agent,
  deps: Deps,
): Promise<readonly (Project | Review)[]> {
  const projects = queue.filter((one) => one.kind === "Project");
  if (!projects.some(({ status }) => status?.estimate !== undefined)) return queue;
  const { accounts, commitments } = await observeFunds(deps);
  const purses = pursesOf(metadata.labels, accounts, commitments);
  return standings(projects, purses).flatMap(({ project, standing }) =>
    mayBegin(standing) ? [project] : [],
  );
}

/** A person decided Reassign: whoever had it leaves it to the others, where there are any. */
function isPassedOver(agent: Agent, { status }: Project, others: readonly Agent[]): boolean {
  const reassigned = status?.resolutions?.at(-1)?.action === "Reassign";
  return reassigned && others.length > 0 && status.branch?.startsWith(`${agent.metadata.name}/`) === true;
}
