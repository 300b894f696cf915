/** What must hold at every step, whatever goes wrong. Each breach throws and ends the run. */
import { isEdge } from "../../pkg/api/agent-states.ts";
import { getCondition, isTrue } from "../../pkg/api/conditions.ts";
import type { Agent, Project, ProjectClaim } from "../../pkg/api/generated.ts";
import type { Condition, KubeObject } from "../../pkg/api/meta.ts";
import { AGENTS_MAX } from "../../pkg/api/names.ts";
import { PHASE_EDGES, phaseOf } from "../../pkg/api/phases.ts";
import { CONDITIONS, reasonsOf } from "../../pkg/api/reasons.ts";
import type { GitClaim } from "../../pkg/git/repository.ts";
import type { Change } from "./api.ts";
import { Broken } from "./broken.ts";
import { noOverspend } from "./promises/no-overspend.ts";
import type { Host } from "./world/sessions.ts";
import type { World } from "./world.ts";

/** How long something that was paused may still be started: caches and informers lag, their back-off is at most 30 s. */
const graceMs = 90_000;

/**
 * Looks at every change as it is told, every start, every merge and every branch that moves.
 *
 * @returns what to ask when the run has ended
 */
export function watchInvariants(world: World): () => void {
  const { api, sessions, repository } = world;
  const pauses = new Pauses(world);
  const merges = new Merges(world);
  api.onChange((change) => {
    const { object, previous } = change;
    if (object === undefined) return;
    wellFormed(object);
    if (object.kind === "Project") projectRules(object as Project, previous as Project | undefined, world);
    if (object.kind === "Project") merges.announced(object as Project);
    if (object.kind === "Agent") agentRules(object as Agent, previous as Agent | undefined, world);
    if (object.kind === "Review") reviewRules(change);
    pauses.see(object);
  });
  noOverspend(world);
  sessions.events.started = (host) => {
    oneOwner(host, world);
    pauses.started(host);
  };
  repository.events.collected = (claim, branch, head) => collected(claim, head, world, branch);
  repository.events.swapped = (from, to) => merges.swapped(from, to);
  return () => merges.end();
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

  const { claim } = status;
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

/** What an agent let go of is recorded with all that it had committed. A dead one's checkout is kept instead. */
function workKept({ metadata, status }: Project, claim: ProjectClaim, { repository }: World): void {
  const released = getCondition(status?.conditions, "Claimed")?.reason === "Released";
  const left = repository.lastHead(metadata.name, claim.number);
  if (!released || left === undefined) return;
  hold(
    status?.head !== undefined && repository.objects.has(status.head) && status.head === left.head,
    () => `Project ${metadata.name} was let go at ${left.head}; its status says ${status?.head}`,
  );
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

/** One host a claim, a project and an agent. */
function oneOwner(host: Host, { sessions }: World): void {
  const { spec } = host;
  for (const other of sessions.hosts()) {
    if (other.spec.id === spec.id) continue;
    hold(
      other.spec.agent !== spec.agent,
      () => `${spec.agent} has two hosts: ${other.spec.id} and ${spec.id}`,
    );
    if (spec.purpose === "execute" && other.spec.purpose === "execute")
      hold(
        other.spec.claim.uid !== spec.claim.uid,
        () => `${spec.project} is worked on by ${other.spec.agent} and by ${spec.agent}`,
      );
  }
}

/** A branch holds nothing that an older claim than its own wrote after it was let go. */
function collected(claim: GitClaim, head: string, { api, repository }: World, branch: string): void {
  const newest = api.object("Project", claim.project)?.status?.claimNumber ?? 0;
  const written = repository.objects.get(head).claim;
  hold(
    written === undefined || written.project !== claim.project || written.number <= claim.number,
    () => `${branch} took in what claim ${written?.number} wrote, at claim ${claim.number}`,
  );
  hold(claim.number <= newest, () => `Claim ${claim.number} of ${claim.project} was never made`);
}

/** Nothing that is paused or stopped is started. */
class Pauses {
  readonly #world: World;
  readonly #since = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  see({ kind, metadata, spec }: KubeObject): void {
    const { paused, mode } = spec as { paused?: boolean; mode?: string };
    const key = `${kind}/${metadata.name}`;
    const held = paused === true || (kind === "Workspace" && mode !== "Running");
    if (!held) this.#since.delete(key);
    else if (!this.#since.has(key)) this.#since.set(key, this.#world.scheduler.elapsedMs);
  }

  started({ spec }: Host): void {
    for (const key of [`Agent/${spec.agent}`, `AgentPool/${spec.pool}`, "Workspace/workspace"]) {
      const since = this.#since.get(key);
      hold(
        since === undefined || this.#world.scheduler.elapsedMs - since <= graceMs,
        () => `${spec.agent} was started although ${key} is held`,
      );
    }
    hold(!this.#world.latch.isEngaged, () => `${spec.agent} was started under the stop latch`);
  }
}

/** Nothing merges that did not pass, and nothing twice. */
class Merges {
  readonly #world: World;
  readonly #merged = new Map<string, string>();
  /** Swapped, and their announcement is written but not yet told: a list shows a write before a watch does. */
  readonly #untold = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  swapped(from: string, to: string): void {
    const { api } = this.#world;
    const project = api.objects("Project").find(({ status }) => status?.merge?.to === to);
    if (project === undefined) this.#untold.set(to, from);
    else this.#judge(project, { from, to });
  }

  announced(project: Project): void {
    const to = project.status?.merge?.to;
    const from = this.#untold.get(to ?? "");
    if (to === undefined || from === undefined) return;
    this.#untold.delete(to);
    this.#judge(project, { from, to });
  }

  end(): void {
    for (const to of this.#untold.keys())
      hold(false, () => `${to} became the target and no Project had announced it`);
  }

  #judge(project: Project, { from, to }: { from: string; to: string }): void {
    const { repository, quality, sessions } = this.#world;
    const commit = repository.objects.get(to);
    hold(commit.parents[0] === from, () => `${to} was swapped in for ${from}, which is not its first parent`);
    const { name, uid = "" } = project.metadata;
    const before = this.#merged.get(uid);
    hold(before === undefined, () => `${name} was merged as ${before} and again as ${to}`);
    this.#merged.set(uid, to);

    const second = repository.objects.get(commit.parents[1] ?? "");
    const head = second.rebaseOf ?? second.id;
    const { submission, verdict } = project.status ?? {};
    hold(
      submission?.head === head || submission?.head === second.id,
      () => `${name} was merged at ${head}, handed over was ${submission?.head}`,
    );
    hold(quality.isGreen(to), () => `${name} was merged and its checks are red`);
    hold(
      verdict?.result === "Approved" && verdict.by !== submission?.agent,
      () => `${name} was merged unapproved`,
    );
    if (verdict?.by === "person") {
      const decided = project.status?.resolutions?.some(
        ({ reason, action, commit: at }) =>
          reason === "ReviewDeadlock" && action === "Approve" && (at === head || at === second.id),
      );
      hold(decided === true, () => `${name} was merged in the name of a person who decided nothing`);
    } else
      hold(
        (sessions.judged.get(submission?.head ?? "") ?? "none") === "Approved",
        () => `${name} was merged at ${submission?.head}, which no reviewer's session approved`,
      );
    for (const { tree, parents } of repository.objects.between(from, second.id))
      for (const [path, content] of tree) {
        if (repository.objects.get(parents[0] ?? second.id).tree.get(path) === content) continue;
        hold(!content.includes("secret"), () => `${name} was merged with a secret in ${path}`);
        hold(!path.startsWith(".claude-sessions/"), () => `${name} was merged with ${path}`);
      }
  }
}
