/** Keeps a Project's number, phase, limits, progress and summary true, and releases claims that nobody holds. */
import { isTrue, type NewCondition } from "../../pkg/api/conditions.ts";
import { escalationFor } from "../../pkg/api/escalations.ts";
import type {
  Agent,
  Project,
  ProjectEstimate,
  ProjectPhase,
  ProjectStatus,
} from "../../pkg/api/generated.ts";
import type { ObjectKey } from "../../pkg/api/meta.ts";
import { WORK_FINALIZER } from "../../pkg/api/names.ts";
import { isClaimable, PHASE_EDGES, phaseOf } from "../../pkg/api/phases.ts";
import { sameJson } from "../../pkg/api/same-json.ts";
import { stepAlong } from "../../pkg/api/transitions.ts";
import { NANO_PER_USD } from "../../pkg/gateway/money.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspace, whenOf, withConditions } from "../deps.ts";
import { agentRun, budgetAnswers, budgetNumbers, projectFacts } from "../facts.ts";
import { raise } from "../raise.ts";
import { affordable } from "./affordable.ts";
import {
  abandoned,
  elapsedSeconds,
  excess,
  isLongSince,
  type Observation,
  progress,
  succeeded,
} from "./decide.ts";
import { estimate, type Finished, kept, sizeOf } from "./estimate.ts";
import { addFinalizer, finalize } from "./finalizer.ts";
import { giveNumber } from "./number.ts";
import { openQueue } from "./queue.ts";
import {
  begun,
  costStanding,
  heldBack,
  openProjects,
  projectLimits,
  projectsOf,
  waitingProjects,
} from "./wakes.ts";

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
      { kind: "Workspace", by: projectLimits, map: () => openProjects(deps) },
      { kind: "Budget", by: budgetAnswers, map: () => waitingProjects(deps) },
      { kind: "Budget", by: budgetNumbers, map: () => heldBack(deps), delayMs: heldBackAfterMs },
      { kind: "Budget", by: budgetNumbers, map: () => waitingProjects(deps), delayMs: waitingAfterMs },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const project = await client.get("Project", key);
      if (project === undefined) return settled;
      if (project.metadata.deletionTimestamp !== undefined) return finalize(project, deps);
      // Before all else is written to it: its revision is still the one it was created at.
      if (project.status?.number === undefined) return giveNumber(project, deps);
      if (!project.metadata.finalizers?.includes(WORK_FINALIZER)) return addFinalizer(project, deps);

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
const waitingAfterMs = 1_800_000;
/**
 * Whether there is anything to write. While a session works its running numbers are told now and then, and with the
 * rest: each write wakes every watcher.
 */
function isNews(before: ProjectStatus, next: ProjectStatus): boolean {
  if (before.phase !== "Working" || next.phase !== "Working") return !sameJson(before, next);
  const { elapsedSeconds, currentTask } = before;
  if (isLongSince(elapsedSeconds, next.elapsedSeconds)) return true;
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
