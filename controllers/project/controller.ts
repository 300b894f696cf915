/** Keeps a Project's number, phase, limits, progress and summary true, and releases claims that nobody holds. */
import { getCondition, isTrue, type NewCondition } from "../../pkg/api/conditions.ts";
import { escalationFor } from "../../pkg/api/escalations.ts";
import type {
  Agent,
  Project,
  ProjectEstimate,
  ProjectPhase,
  ProjectStatus,
  Workspace,
} from "../../pkg/api/generated.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { WORK_FINALIZER } from "../../pkg/api/names.ts";
import { isClaimable, PHASE_EDGES, phaseOf } from "../../pkg/api/phases.ts";
import { sameJson } from "../../pkg/api/same-json.ts";
import { isConflict, isNotFound } from "../../pkg/api/status-error.ts";
import { stepAlong } from "../../pkg/api/transitions.ts";
import { NANO_PER_USD } from "../../pkg/gateway/money.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspace, whenOf, withConditions } from "../deps.ts";
import { agentRun, budgetAnswers, budgetNumbers, declared, projectFacts } from "../facts.ts";
import { raise } from "../raise.ts";
import { affordable } from "./affordable.ts";
import { abandoned, elapsedSeconds, excess, type Observation, progress, succeeded } from "./decide.ts";
import { estimate, type Finished, kept, sizeOf } from "./estimate.ts";
import { openQueue } from "./queue.ts";

export function projectController(deps: Deps): Controller {
  const { client, clock, namespace, events } = deps;
  const queue = openQueue(deps);
  return {
    name: "project",
    // One at a time: numbers are given in the order of creation.
    concurrency: 1,
    watches: [
      { kind: "Project", by: projectFacts },
      // What is begun or finished changes what is left for those that wait, and what they may cost.
      { kind: "Project", by: begun, map: () => waitingProjects(deps), delayMs: begunAfterMs },
      { kind: "Project", by: costStanding, map: () => heldBack(deps), delayMs: heldBackAfterMs },
      { kind: "Project", by: costStanding, map: () => waitingProjects(deps), delayMs: waitingAfterMs },
      { kind: "Agent", by: agentRun, map: (object) => projectsOf(object as Agent, deps) },
      { kind: "Workspace", by: declared, map: () => openProjects(deps) },
      { kind: "Budget", by: budgetAnswers, map: () => waitingProjects(deps) },
      { kind: "Budget", by: budgetNumbers, map: () => heldBack(deps), delayMs: heldBackAfterMs },
      { kind: "Budget", by: budgetNumbers, map: () => waitingProjects(deps), delayMs: waitingAfterMs },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const project = await client.get("Project", key);
      if (project === undefined) return settled;
      if (project.metadata.deletionTimestamp !== undefined) return finalize(project, deps);
      if (!project.metadata.finalizers?.includes(WORK_FINALIZER)) return addFinalizer(project, deps);
      if (project.status?.number === undefined) return giveNumber(project, deps);

      const seen = await observe(project);
      const passed = excess(project, seen);
      if (passed !== undefined) {
        const escalation = escalationFor(project, passed.reason, {
          message: passed.message,
          ...(project.status.head === undefined ? {} : { commit: project.status.head }),
        });
        await raise(escalation, deps);
        const abandoned = passed.abandons
          ? ({ type: "Abandoned", status: "True", reason: passed.reason, message: passed.message } as const)
          : undefined;
        await writeStatus(client, "Project", project, {
          ...project.status,
          escalation: escalation.metadata.name,
          conditions: withConditions(project.status.conditions, whenOf(clock, project), abandoned),
        });
        events.event(project, "Warning", passed.reason, passed.message);
        return inSeconds(0);
      }
      return report(project, seen, deps);
    },
  };

  async function report(project: Project, seen: Observation, { client: api }: Deps): Promise<Next> {
    const before = project.status ?? {};
    const released = dead(before, seen.agent) ? releaseDead(before, project) : before;
    const object = { ...project, status: released };
    const given = abandoned(released);
    const decided = {
      ...released,
      conditions: withConditions(released.conditions, whenOf(clock, project), given),
    };
    const waits = isClaimable(object) ? await standing(object) : undefined;
    const known = withConditions(decided.conditions, whenOf(clock, project), waits?.condition);
    const recorded = phaseOf({ ...object, status: decided });
    // Several facts may have been recorded since the last look: people see each phase on the way.
    const phase = stepAlong(PHASE_EDGES, { from: before.phase ?? recorded, to: recorded });
    const settledNow = phase === "Done" || phase === "Abandoned";
    const status: ProjectStatus = {
      ...released,
      phase,
      ...progress(object, phase, seen.agent),
      elapsedSeconds: elapsedSeconds(released, seen.agent),
      ...(waits === undefined ? {} : { estimate: waits.estimate }),
      completionTime: settledNow ? (released.completionTime ?? timestamp(clock.now())) : undefined,
      observedGeneration: project.metadata.generation,
      conditions: withConditions(
        known,
        whenOf(clock, project),
        succeeded({ ...object, status: { ...decided, conditions: known } }, phase),
      ),
    };
    const since = clock.now() - Date.parse(status.completionTime ?? "");
    // The gateway reads what is in flight to its end, whoever leaves: the cost is final some minutes after the work.
    const settles = since >= 0 && since < settlesMs;
    // What is left could not be asked.
    const unless: Next =
      waits !== undefined && waits.condition === undefined ? inSeconds(unknownAgainSeconds) : settled;
    if (!isNews(before, status) && !(since < 2 * settlesMs)) return unless;
    const written = await writeStatus(api, "Project", project, {
      ...status,
      ...(await cost(project, status)),
    });
    if (written !== undefined && before.phase !== phase && before.phase !== undefined && !isToldBy(phase))
      events.event(written, "Normal", phase, succeeded(object, phase).message);
    if (phase !== recorded) return inSeconds(0);
    return settles ? inSeconds((settlesMs - since) / 1000) : unless;
  }

  /** Of what was worked on: it is told with the rest, the running cost is the gateway's to show. */
  async function cost(
    { metadata }: Project,
    { elapsedSeconds = 0, submission }: ProjectStatus,
  ): Promise<Pick<ProjectStatus, "costUSD" | "costTokens">> {
    if (elapsedSeconds === 0 && submission === undefined) return {};
    const ledger = await deps.money.spent({ project: metadata.name });
    return ledger === undefined ? {} : { costUSD: ledger.cost / NANO_PER_USD, costTokens: ledger.tokens };
  }

  /** What a Project that waits may cost, and whether that is left; what can't be known leaves the condition alone. */
  async function standing(
    project: Project,
  ): Promise<{ estimate: ProjectEstimate | undefined; condition: NewCondition | undefined }> {
    const { items } = await client.list("Project", { namespace });
    const told = kept(project.status?.estimate, estimate(sizeOf(project), finished(items)));
    const withEstimate = { ...project, status: { ...project.status, estimate: told } };
    try {
      const found = await queue.standingOf(withEstimate);
      const condition = affordable(found, { estimate: told, nowMs: clock.now() });
      return { estimate: told, condition };
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      return { estimate: told, condition: undefined };
    }
  }

  /** A claim whose agent is gone, or is another of the same name. */
  function dead(status: ProjectStatus, agent: Agent | undefined): boolean {
    return status.claim !== undefined && agent?.metadata.uid !== status.claim.agentUID;
  }

  function releaseDead(status: ProjectStatus, project: Project): ProjectStatus {
    const message = `${status.claim?.agent} is gone; its claim ${status.claim?.number} was released.`;
    events.event(project, "Warning", "ClaimReleased", message);
    return {
      ...status,
      claim: undefined,
      conditions: withConditions(status.conditions, whenOf(clock, project), {
        type: "Claimed",
        status: "False",
        reason: "AgentGone",
        message,
      }),
    };
  }

  async function observe(project: Project): Promise<Observation> {
    const claim = project.status?.claim;
    const workspace = await theWorkspace(deps);
    const agent =
      claim === undefined ? undefined : await client.get("Agent", { namespace, name: claim.agent });
    return { workspace, agent };
  }
}

/** How long the last requests may take until they are settled, in milliseconds. */
const settlesMs = 300_000;
/** How soon a gateway that can't be asked is asked again, in seconds: its Budgets say before when it can. */
const unknownAgainSeconds = 120;
/**
 * How soon all that wait are looked at when something was begun, in milliseconds; how soon those that wait for money, when
 * some may be left again; how soon the others then. Each look has the whole queue and the gateway looked at, and of one
 * that is not held back only the words are late: whoever begins it looks anew.
 */
const begunAfterMs = 5_000;
const heldBackAfterMs = 15_000;
const waitingAfterMs = 600_000;
/** How far a session goes before the running numbers are told without anything else, in seconds. */
const tellAfterSeconds = 1800;

/**
 * Whether there is anything to write. While a session works its running numbers are told now and then, and with the
 * rest: each write wakes every watcher.
 */
function isNews(before: ProjectStatus, next: ProjectStatus): boolean {
  if (before.phase !== "Working" || next.phase !== "Working") return !sameJson(before, next);
  const { elapsedSeconds, currentTask } = before;
  if (Math.abs((next.elapsedSeconds ?? 0) - (elapsedSeconds ?? 0)) >= tellAfterSeconds) return true;
  return !sameJson(before, { ...next, elapsedSeconds, currentTask });
}

/** Whoever decides the phase says so, and why, in an Event of its own. */
function isToldBy(phase: ProjectPhase): boolean {
  return phase === "Approved" || phase === "ChangesRequested" || phase === "Done";
}

/** What finished Projects were and cost, the newest first. */
function finished(projects: readonly Project[]): readonly Finished[] {
  return projects
    .filter(({ status }) => isTrue(status?.conditions, "Merged"))
    .sort((a, b) => ((a.status?.completionTime ?? "") < (b.status?.completionTime ?? "") ? 1 : -1))
    .flatMap((project) => {
      const { costUSD: usd, costTokens: tokens } = project.status ?? {};
      // One whose cost was never told says nothing; it did not cost nothing.
      if (usd === undefined || tokens === undefined) return [];
      return [{ size: sizeOf(project), usd, tokens }];
    });
}

/** For which claim it was begun last. */
function begun(object: KubeObject): unknown {
  return (object as Project).status?.claimNumber;
}

/** What of a Project others in the queue are measured by. */
function costStanding(object: KubeObject): unknown {
  const { claim, completionTime, costUSD } = (object as Project).status ?? {};
  return [claim?.number, completionTime, completionTime === undefined ? undefined : costUSD];
}

/**
 * Deleted while somebody works on it: the agent saves and lets go first; the branch stays. A merge that is announced
 * may have happened already: it is finished and recorded first.
 */
async function finalize(project: Project, { client }: Deps): Promise<Next> {
  const inHand = project.status?.claim !== undefined || project.status?.merge !== undefined;
  if (inHand || !project.metadata.finalizers?.includes(WORK_FINALIZER)) return settled;
  const finalizers = project.metadata.finalizers.filter((entry) => entry !== WORK_FINALIZER);
  await update({ ...project, metadata: { ...project.metadata, finalizers } }, client);
  return settled;
}

async function addFinalizer(project: Project, { client }: Deps): Promise<Next> {
  const finalizers = [...(project.metadata.finalizers ?? []), WORK_FINALIZER];
  await update({ ...project, metadata: { ...project.metadata, finalizers } }, client);
  return settled;
}

async function update(project: Project, client: Deps["client"]): Promise<void> {
  try {
    await client.update("Project", project);
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) throw error;
    throw new TransientError("Conflict", `Project ${project.metadata.name} was written by somebody else.`, {
      cause: error,
    });
  }
}

/**
 * Takes the next number from the Workspace, then gives it to the Project: a crash between the two leaves a gap, and
 * no number is ever given twice.
 */
async function giveNumber(project: Project, deps: Deps): Promise<Next> {
  const { client, namespace } = deps;
  const workspace = await theWorkspace(deps);
  if (workspace === undefined) return settled;
  const number = project.spec.github?.issue ?? (await takeNumber(workspace, deps));
  const { items } = await client.list("Project", { namespace });
  if (items.some(({ status }) => status?.number === number))
    throw new TransientError("NumberTaken", `The number ${number} is taken.`);
  await writeStatus(client, "Project", project, {
    ...project.status,
    number,
    creationRevision: project.status?.creationRevision ?? project.metadata.resourceVersion ?? "0",
  });
  return settled;
}

async function takeNumber(workspace: Workspace, { client, namespace }: Deps): Promise<number> {
  const { items } = await client.list("Project", { namespace });
  const given = items.map(({ status }) => status?.number ?? 0);
  const next = Math.max(workspace.status?.lastNumber ?? 0, ...given, 0) + 1;
  const written = await writeStatus(client, "Workspace", workspace, {
    ...workspace.status,
    lastNumber: next,
  });
  if (written === undefined) throw new TransientError("WorkspaceGone", "The Workspace was removed.");
  return next;
}

/** The Project that an agent has, or had: both have to be looked at when it moves. */
async function projectsOf(agent: Agent, { client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items.filter(({ status }) => status?.claim?.agent === agent.metadata.name).map(keyOf);
}

async function openProjects({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items.filter(({ status }) => status?.phase !== "Done" && status?.phase !== "Abandoned").map(keyOf);
}

/** Those that are said to wait for money. */
async function heldBack({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items
    .filter(
      (project) =>
        isClaimable(project) && getCondition(project.status?.conditions, "Affordable")?.status === "False",
    )
    .map(keyOf);
}

/** Those that a Budget's state holds back or lets go. */
async function waitingProjects({ client, namespace }: Deps): Promise<readonly ObjectKey[]> {
  const { items } = await client.list("Project", { namespace });
  return items.filter(isClaimable).map(keyOf);
}
