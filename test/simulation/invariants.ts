/** What must hold at every step, whatever goes wrong. Each breach throws and ends the run. */
import { isEdge } from "../../pkg/api/agent-states.ts";
import { getCondition, isTrue } from "../../pkg/api/conditions.ts";
import type { Agent, Project } from "../../pkg/api/generated.ts";
import type { Condition, KubeObject } from "../../pkg/api/meta.ts";
import { AGENTS_MAX } from "../../pkg/api/names.ts";
import { PHASE_EDGES, phaseOf } from "../../pkg/api/phases.ts";
import { CONDITIONS, reasonsOf } from "../../pkg/api/reasons.ts";
import type { Change } from "./api.ts";
import { Broken } from "./broken.ts";
import { noOverspend } from "./promises/no-overspend.ts";
import { Merges } from "./promises/nothing-unpassed-merges.ts";
import { collected, oneHost } from "./promises/one-owner.ts";
import { Resumes, workKept } from "./promises/resume-not-restart.ts";
import { Stops } from "./promises/stop-means-stop.ts";
import { followed } from "./promises/your-files.ts";
import type { World } from "./world.ts";

/** What the checks are told beside what they see for themselves. */
export interface Invariants {
  /** A life of the operator begins. */
  operatorStarts(): void;
  /** In a cluster: whether an operator acts that hears what people declare. */
  operatorHears(hears: boolean): void;
}

/**
 * Looks at every change as it is told, every start, every merge, every branch that moves and every line of the ledger:
 * the promises in `promises/`, and here what objects say of themselves.
 */
export function watchInvariants(world: World, where: "Files" | "Cluster" = "Files"): Invariants {
  const { api, sessions, repository, latch } = world;
  const stops = new Stops(world, where);
  const merges = new Merges(world);
  const resumes = new Resumes();
  const money = noOverspend(world);
  api.onChange((change) => {
    const { object, previous } = change;
    if (object === undefined) return;
    wellFormed(object);
    if (object.kind === "Project") projectRules(object as Project, previous as Project | undefined, world);
    if (object.kind === "Agent") agentRules(object as Agent, previous as Agent | undefined, world);
    if (object.kind === "Review") reviewRules(change);
    stops.see(object);
  });
  world.money.events.opened = money.opened;
  world.money.events.line = (line) => {
    money.line(line);
    resumes.line(line);
  };
  latch.events.engaged = () => stops.engaged();
  sessions.events.started = (host) => {
    oneHost(host, world);
    stops.started(host);
    resumes.started(host);
  };
  repository.events.collected = (claim, branch, head) => collected(claim, { branch, head }, world);
  repository.events.swapped = (from, to) => merges.swapped(from, to);
  repository.events.followed = (from, to) => followed(from, to, world);
  return {
    operatorStarts: () => stops.operatorStarts(),
    operatorHears: (hears) => stops.operatorHears(hears),
  };
}

function hold(holds: boolean, message: () => string): void {
  if (!holds) throw new Broken(message());
}

function wellFormed({ kind, metadata, status }: KubeObject): void {
  const { observedGeneration = 0, conditions = [] } = (status ?? {}) as {
    observedGeneration?: number;
    conditions?: readonly Condition[];
  };
  const name = `${kind} ${metadata.name}`;
  const generation = metadata.generation ?? 0;
  hold(
    observedGeneration <= generation,
    () => `${name} says it saw generation ${observedGeneration} of ${generation}`,
  );
  for (const condition of conditions) {
    hold(
      (condition.observedGeneration ?? 0) <= generation,
      () => `${name}: ${condition.type} is of the future`,
    );
    hold(
      !(kind in CONDITIONS) || (reasonsOf(kind, condition.type) ?? []).includes(condition.reason),
      () =>
        `${name}: ${condition.type} gives the reason ${condition.reason}, which pkg/api/reasons.ts does not list`,
    );
  }
  hold(
    !(isTrue(conditions, "Stalled") && (isTrue(conditions, "Ready") || isTrue(conditions, "Succeeded"))),
    () => `${name} is stalled and good at once`,
  );
  if (observedGeneration > 0)
    hold(
      getCondition(conditions, "Ready") !== undefined || getCondition(conditions, "Succeeded") !== undefined,
      () => `${name} has no summary condition`,
    );
}

function projectRules(project: Project, previous: Project | undefined, world: World): void {
  const { api } = world;
  const { metadata, status = {} } = project;
  const before = previous?.metadata.uid === metadata.uid ? (previous?.status ?? {}) : {};
  const name = `Project ${metadata.name}`;
  grows(name, "claimNumber", before.claimNumber, status.claimNumber);
  grows(name, "reviewCycles", before.reviewCycles, status.reviewCycles);
  stays(name, "number", before.number, status.number);
  stays(name, "creationRevision", before.creationRevision, status.creationRevision);
  stays(name, "mergeCommit", before.mergeCommit, status.mergeCommit);
  if (status.number !== undefined && before.number === undefined)
    for (const other of api.objects("Project"))
      hold(
        other.metadata.uid === metadata.uid || other.status?.number !== status.number,
        () => `${name} and ${other.metadata.name} both have number ${status.number}`,
      );
  // Each decision of a person about a deadlock allows one more.
  const decided = status.resolutions?.filter(({ reason }) => reason === "ReviewDeadlock").length ?? 0;
  const cyclesMax = 3 + decided;
  hold((status.reviewCycles ?? 0) <= cyclesMax, () => `${name} is in review cycle ${status.reviewCycles}`);

  const { claim, verdict } = status;
  const isAnother = verdict?.head !== before.verdict?.head || verdict?.run !== before.verdict?.run;
  if (isAnother && verdict?.result === "ChangesRequested" && verdict.by !== "person")
    hold(
      status.reviewCycles === (before.reviewCycles ?? 0) + 1,
      () => `${name} was sent back, and its review cycles are ${status.reviewCycles} as before`,
    );
  if (claim !== undefined) {
    hold(claim.number === status.claimNumber, () => `${name}: claim ${claim.number} is not the newest`);
    if (claim.number !== before.claim?.number) {
      hold(
        before.claim === undefined,
        () => `${name} was claimed by ${claim.agent} while ${before.claim?.agent} had it`,
      );
      for (const other of api.objects("Project"))
        hold(
          other.metadata.uid === metadata.uid || other.status?.claim?.agentUID !== claim.agentUID,
          () => `${claim.agent} has ${metadata.name} and ${other.metadata.name}`,
        );
    } else if (before.claim !== undefined)
      hold(claim.run >= before.claim.run, () => `${name}: run ${before.claim?.run} became ${claim.run}`);
  }

  if (claim === undefined && before.claim !== undefined) workKept(project, before.claim, world);

  const phase = phaseOf(project);
  if (previous !== undefined && previous.metadata.uid === metadata.uid) {
    const was = phaseOf(previous);
    hold(
      was === phase || PHASE_EDGES[was].includes(phase),
      () => `${name}: what is recorded went from ${was} to ${phase}, which is no edge`,
    );
  }
  if (status.phase !== undefined && status.phase !== before.phase) {
    const stored = status.phase;
    const from = before.phase;
    hold(
      from === undefined || PHASE_EDGES[from].includes(stored),
      () => `${name}: phase went from ${from} to ${stored}, which is no edge`,
    );
    hold(
      getCondition(status.conditions, "Succeeded") !== undefined,
      () => `${name} has a phase and no summary`,
    );
  }
}

function agentRules(agent: Agent, previous: Agent | undefined, { api }: World): void {
  const { metadata, status } = agent;
  const count = api.objects("Agent").length;
  hold(count <= AGENTS_MAX, () => `There are ${count} Agents`);
  const before = previous?.metadata.uid === metadata.uid ? previous?.status : undefined;
  const from = before?.state ?? "Idle";
  const to = status?.state ?? "Idle";
  hold(isEdge(from, to), () => `Agent ${metadata.name}: state went from ${from} to ${to}, which is no edge`);
}

function reviewRules({ object, previous }: Change): void {
  const now = (object as { status?: { claimNumber?: number; verdict?: string } }).status;
  const before = (previous as { status?: { claimNumber?: number; verdict?: string } } | undefined)?.status;
  const name = `Review ${object?.metadata.name}`;
  if (previous?.metadata.uid !== object?.metadata.uid) return;
  grows(name, "claimNumber", before?.claimNumber, now?.claimNumber);
  stays(name, "verdict", before?.verdict, now?.verdict);
}

function grows(name: string, field: string, before: number | undefined, now: number | undefined): void {
  hold((now ?? 0) >= (before ?? 0), () => `${name}: ${field} fell from ${before} to ${now}`);
}

function stays(name: string, field: string, before: unknown, now: unknown): void {
  hold(before === undefined || before === now, () => `${name}: ${field} changed from ${before} to ${now}`);
}
