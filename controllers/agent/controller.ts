/** Keeps one Agent's actual session as the Agent, its pool and its work ask: claimed, started, watched, stopped, resumed. */

import { activityOf, stepTowards } from "../../pkg/api/agent-states.ts";
import { getCondition, type NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent, AgentStatus, Category, Project, Review } from "../../pkg/api/generated.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { agentId } from "../../pkg/api/names.ts";
import { isClaimable, phaseOf } from "../../pkg/api/phases.ts";
import { failureReason } from "../../pkg/api/reasons.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { TerminalError, TransientError, WaitingError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import type { SessionObservation, SessionReport } from "../../pkg/session/sessions.ts";
import { type Deps, unlessItFails, whenOf, withConditions } from "../deps.ts";
import {
  accountLimits,
  baselineStanding,
  budgetStanding,
  declared,
  isPaused,
  projectFacts,
  reviewFacts,
} from "../facts.ts";
import { act } from "./act.ts";
import { failed } from "./after-session.ts";
import { backoffMs } from "./backoff.ts";
import { decide } from "./decide.ts";
import { type Observation, observe } from "./observe.ts";
import type { Action, Plan } from "./plan.ts";

export function agentController(deps: Deps): Controller {
  const { client, namespace, sessions, latch } = deps;
  const claims = oneAtATime();
  return {
    name: "agent",
    concurrency: 10,
    watches: [
      { kind: "Agent", by: declared },
      {
        kind: "Project",
        by: projectFacts,
        map: (object, as) =>
          as === "was" ? holderOf(object as Project) : concernedBy(object as Project, deps),
      },
      {
        kind: "Review",
        by: reviewFacts,
        map: (object, as) =>
          as === "was" ? holderOf(object as Review) : concernedBy(object as Review, deps),
      },
      { kind: "Workspace", by: declared, map: () => everyAgent(deps) },
      { kind: "Workspace", by: accountLimits, map: () => everyAgent(deps) },
      { kind: "Workspace", by: baselineStanding, map: () => freeAgents(deps) },
      { kind: "AgentPool", by: declared, map: (object) => everyAgent(deps, object) },
      { kind: "Budget", by: budgetStanding, map: () => everyAgent(deps) },
      { kind: "Category", by: isPaused, map: (object) => concernedByPause(object as Category, deps) },
    ],
    signals: [
      {
        subscribe: (wake, signal) => sessions.subscribe((agent) => wake({ namespace, name: agent }), signal),
      },
      // An agent that looked before the stop latch was released looks again once it is, whether or not any Workspace has said
      // meanwhile that it was engaged.
      { subscribe: (wake, signal) => latch.subscribe(() => unlessItFails(wakeAll(wake)), signal) },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      // Fetch again: the request carries a name, not an event.
      const agent = await client.get("Agent", key);
      if (agent === undefined) return settled;

      const seen = await observe(agent, deps);
      const plan = decide(agent, seen);

      // A status that lags behind (a crash between two writes) catches up first, a step of the table at a time.
      const state = stepTowards(agent.status?.state ?? "Idle", plan.state);
      if (state !== plan.state) {
        await report(agent, seen, { ...plan, state, action: { do: "nothing" } }, deps);
        return inSeconds(0);
      }

      if (plan.action.do === "finalize") {
        await act(plan.action, agent, seen, deps);
        return plan.next;
      }
      const { started, failure } = await attempt(() =>
        plan.action.do === "claim"
          ? claims(() => claimAnew(agent, deps))
          : act(plan.action, agent, seen, deps),
      );
      if (failure === undefined) {
        // What a start has brought is told with it.
        await report(
          agent,
          started === undefined ? seen : { ...seen, session: started, due: true },
          plan,
          deps,
        );
        // One that has come to its end already is news that nobody else brings.
        return started === undefined || started.is === "present" ? plan.next : inSeconds(0);
      }
      // A host that can't start is as good as one that ends at once: counted in the status, so that no restart of ours
      // tries it sooner.
      if (
        plan.action.do === "start" &&
        failure instanceof TransientError &&
        failure.reason === "HostNotStarted"
      ) {
        await report(agent, seen, { ...failed(agent, failure.message), action: plan.action }, deps);
        return inSeconds(0);
      }
      // A lost race is no news; anything else is said before the runtime decides on the retry.
      if (!(failure instanceof TransientError && failure.reason === "Conflict"))
        await report(agent, seen, failedPlan(agent, failure), deps);
      throw failure;
    },
  };

  async function wakeAll(wake: (key: ObjectKey) => void): Promise<void> {
    for (const key of await everyAgent(deps)) wake(key);
  }
}

/**
 * Claims what is first now that no other claim is being made: two Projects for which the money of one is left must not
 * both begin.
 *
 * @throws TransientError Conflict when there is nothing to claim any more
 */
async function claimAnew(agent: Agent, deps: Deps): Promise<undefined> {
  const seen = await observe(agent, deps);
  const { action } = decide(agent, seen);
  if (action.do !== "claim")
    throw new TransientError("Conflict", `What ${agent.metadata.name} was about to claim is taken.`);
  await act(action, agent, seen, deps);
}

/** Runs what it is given one after the other, whether or not what came before succeeded. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}

async function attempt(
  effect: () => Promise<SessionObservation | undefined>,
): Promise<{ started?: SessionObservation | undefined; failure?: unknown }> {
  try {
    return { started: await effect() };
  } catch (error) {
    return { failure: error ?? new Error("An effect failed without an error") };
  }
}

function failedPlan(agent: Agent, failure: unknown): Plan {
  const known =
    failure instanceof TransientError || failure instanceof TerminalError || failure instanceof WaitingError;
  const message = failure instanceof Error ? failure.message : String(failure);
  return {
    action: { do: "nothing" },
    state: agent.status?.state ?? "Idle",
    ready: {
      type: "Ready",
      status: "False",
      reason: known ? failureReason(failure.reason) : "InternalError",
      message,
    },
    next: settled,
  };
}

async function report(agent: Agent, seen: Observation, plan: Plan, deps: Deps): Promise<void> {
  const { client, clock, events, random } = deps;
  const status = agent.status ?? {};
  const { work, session } = seen;
  const failures = failuresAfter(plan, status.failures);
  const starts = plan.action.do === "start";
  const released = ["release", "giveBack", "forget"].includes(plan.action.do);
  const held = released ? undefined : work;
  const sessionNow = released ? undefined : sessionStatus(agent, seen, plan);
  const next: AgentStatus = {
    ...status,
    id: agentId(agent.metadata.name),
    state: plan.state,
    activity: activityOf(plan.state),
    // While a session without a claim is being ended, its Project is what its checkout is found by.
    ...(held === undefined && sessionNow !== undefined ? {} : naming(held)),
    session: sessionNow,
    failures,
    errors: (status.errors ?? 0) + (plan.failure === undefined ? 0 : 1),
    ...(plan.failure === undefined ? {} : { lastError: plan.failure.message.slice(0, 1024) }),
    nextStartTime:
      plan.failure !== undefined || plan.waitsAnew
        ? timestamp(clock.now() + backoffMs(failures, random))
        : starts || plan.recovered
          ? undefined
          : status.nextStartTime,
    failureMark: plan.failure !== undefined ? seen.specMark : plan.recovered ? undefined : status.failureMark,
    budgetMark: plan.refused ? seen.budgetMark : starts || released ? undefined : status.budgetMark,
    observedGeneration: agent.metadata.generation,
    conditions: withConditions(status.conditions, whenOf(clock, agent), plan.ready),
  };
  const known = session?.is === "unknown" ? undefined : session?.report;
  const told = work !== undefined && known !== undefined && !released ? progress(known, agent, seen.due) : {};
  const written = await writeStatus(client, "Agent", agent, { ...next, ...told });
  if (written === undefined) return;
  const { reason, message } = plan.ready;
  // Once: whoever is warned needs not be told that the agent is not ready any more.
  if (plan.failure !== undefined) events.event(written, "Warning", reason, plan.failure.message);
  else if (plan.warns && reasonBefore(agent) !== reason) events.event(written, "Warning", reason, message);
  else if (changedReady(agent, plan.ready)) events.event(written, "Normal", reason, message);
}

function reasonBefore({ status }: Agent): string | undefined {
  return getCondition(status?.conditions, "Ready")?.reason;
}

function changedReady(agent: Agent, ready: NewCondition): boolean {
  const before = agent.status?.conditions?.find(({ type }) => type === "Ready");
  if (before === undefined || before.status === "Unknown" || ready.status === "Unknown") return false;
  return before.status !== ready.status;
}

function naming(work: Observation["work"]): Partial<AgentStatus> {
  if (work === undefined)
    return {
      project: undefined,
      projectNumber: undefined,
      review: undefined,
      phase: undefined,
      branch: undefined,
      currentTask: undefined,
      tasksDone: undefined,
    };
  const { project } = work;
  return {
    project: project?.metadata.name,
    projectNumber: project?.status?.number,
    review: work.kind === "Review" ? work.review.metadata.name : undefined,
    phase: project === undefined ? undefined : phaseOf(project),
    branch: work.kind === "Project" ? work.claim.branch : undefined,
  };
}

function sessionStatus(agent: Agent, seen: Observation, plan: Plan): AgentStatus["session"] {
  const done: Action = plan.action;
  const starts = done.do === "start";
  const { work, session, checkout, now, due } = seen;
  const before = agent.status?.session;
  const id = work?.claim.session;
  if (id === undefined) return before;
  // Before its first start a session is not named: then nothing has to be stopped or forgotten. One that lives or has
  // come to an end was started, if only by an operator that died before it could say so.
  if (before === undefined && !starts && !wasStarted(session)) return undefined;
  if (before !== undefined && !starts && before.id !== id)
    return done.do === "stop" && done.session === before.id ? undefined : before;
  const same = before?.id === id ? before : undefined;
  const begun = {
    pid: undefined,
    unchangedSeconds: 0,
    lastChangeTime: timestamp(now),
    restartedAt: agent.spec.restartedAt,
    startLiveSeconds: Math.floor(liveSecondsOf(session)),
    startTurns: turnsOf(session, work),
  };
  const named = {
    ...same,
    id,
    run: work?.kind === "Project" ? work.claim.run : 1,
    claim: work?.claim.number,
    failures: plan.failure?.unwitnessed ? (same?.failures ?? 0) : failuresAfter(plan, same?.failures),
    ...(starts ? begun : {}),
  };
  if (!due || session === undefined || session.is === "unknown" || session.report === undefined) return named;
  const { turns, liveSeconds, lastActivityMs, busy } = session.report;
  const look = checkout?.is === "present" ? checkout.value.fingerprint : undefined;
  const changed = look !== undefined && look !== same?.fingerprint;
  const passed = Math.max(0, Math.floor(liveSeconds) - (same?.liveSeconds ?? 0));
  return {
    ...named,
    ...(session.is === "present" ? { pid: session.pid, lastLookTime: timestamp(now) } : {}),
    turns,
    liveSeconds: Math.floor(liveSeconds),
    lastActivityTime: timestamp(lastActivityMs),
    busy: busy ? "Yes" : "No",
    unchangedSeconds: changed ? 0 : (named.unchangedSeconds ?? 0) + passed,
    ...(changed ? { fingerprint: look, lastChangeTime: timestamp(now) } : {}),
  };
}

/** Bad ends in a row once `plan` is carried out. */
function failuresAfter({ failure, recovered }: Plan, before = 0): number {
  return (recovered ? 0 : before) + (failure === undefined ? 0 : 1);
}

function liveSecondsOf(session: SessionObservation | undefined): number {
  return session === undefined || session.is === "unknown" ? 0 : (session.report?.liveSeconds ?? 0);
}

/** Turns of the run that is to be started, before its start. */
function turnsOf(session: SessionObservation | undefined, work: Observation["work"]): number {
  const report = session === undefined || session.is === "unknown" ? undefined : session.report;
  const run = work?.kind === "Project" ? work.claim.run : 1;
  return report?.run === run ? report.turns : 0;
}

function wasStarted(session: SessionObservation | undefined): boolean {
  return session?.is === "present" || (session?.is === "absent" && session.report?.outcome !== undefined);
}

/** What people follow. A task that is done is told at once; what goes on within one is told when the numbers are. */
function progress(report: SessionReport, { status }: Agent, due: boolean): Partial<AgentStatus> {
  if (!due && report.tasksDone.length === (status?.tasksDone?.length ?? 0)) return {};
  return { currentTask: report.currentTask, tasksDone: [...report.tasksDone] };
}

async function everyAgent({ client, namespace }: Deps, pool?: KubeObject): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Agent", { namespace });
  return items.filter(({ spec }) => pool === undefined || spec.pool === pool.metadata.name).map(keyOf);
}

/** Those that could take up work. */
async function freeAgents({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Agent", { namespace });
  return items.filter(({ status }) => status?.session === undefined).map(keyOf);
}

/** The agent that has it. */
function holderOf({ metadata, status }: Project | Review): readonly ObjectKey[] {
  const name = status?.claim?.agent;
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? "", name }];
}

/** The agent that has it, and all idle ones of the role when it can be claimed. */
async function concernedBy(object: Project | Review, deps: Deps): Promise<readonly ObjectKey[]> {
  const { client, namespace } = deps;
  const holder = holderOf(object);
  const open = object.kind === "Project" ? isOffered(object) : object.status?.state === "Pending";
  if (object.kind === "Project" && !open) return [...holder, ...(await reviewersOf(object, deps))];
  if (!open) return holder;
  const role = object.kind === "Project" ? "Execution" : "Review";
  const { items } = await client.list("Agent", { namespace });
  return [
    ...holder,
    ...items.filter(({ spec, status }) => spec.role === role && status?.session === undefined).map(keyOf),
  ];
}

/** Whether there is anything to look at for who has nothing in hand: before its price is known none is taken up. */
function isOffered(project: Project): boolean {
  return isClaimable(project) && getCondition(project.status?.conditions, "Affordable") !== undefined;
}

/** Those with a Project of the Category in hand; when its Projects wait no more, those that could take one up too. */
async function concernedByPause(
  { metadata }: Category,
  { client, namespace }: Deps,
): Promise<readonly ObjectKey[]> {
  // As it is now, which may be gone: then nothing waits for it.
  const category = await client.get("Category", { namespace, name: metadata.name });
  const waits = category?.spec.mode === "Paused";
  const { items: projects } = await client.list("Project", { namespace });
  const own = new Set(
    projects.filter(({ spec: { category } }) => category === metadata.name).map((one) => one.metadata.name),
  );
  const { items: agents } = await client.list("Agent", { namespace });
  return agents
    .filter(({ status }) => (status?.project === undefined ? !waits : own.has(status.project)))
    .map(keyOf);
}

async function reviewersOf(
  project: Project,
  { client, namespace }: Pick<Deps, "client" | "namespace">,
): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Review", { namespace });
  return items
    .filter(
      ({ spec, status }) =>
        spec.project === project.metadata.name && status?.state === "Reviewing" && status.claim !== undefined,
    )
    .map(({ status }) => ({ namespace, name: status?.claim?.agent ?? "" }));
}
