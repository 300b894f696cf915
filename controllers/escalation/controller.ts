/** Acts on what a person decided. */
import type { Escalation, Project, ProjectStatus } from "../../pkg/api/generated.ts";
import { keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { projectFacts } from "../facts.ts";

/** How long an Escalation may be there before a Project names it, in milliseconds. */
const unnamedMsMax = 300_000;

export function escalationController(deps: Deps): Controller {
  const { client, clock, namespace, events } = deps;
  return {
    name: "escalation",
    concurrency: 1,
    watches: [{ kind: "Escalation" }, { kind: "Project", by: projectFacts, map: ofProject }],

    async reconcile(key: ObjectKey): Promise<Next> {
      const escalation = await client.get("Escalation", key);
      if (escalation === undefined) return withdraw(key);
      if (escalation.metadata.deletionTimestamp !== undefined) return settled;
      if (escalation.status?.state === "Resolved") return settled;
      const name = escalation.spec.project;
      const project = name === undefined ? undefined : await client.get("Project", { namespace, name });
      if (project !== undefined && !isPosed(escalation, project)) return waitForProject(escalation);
      if (escalation.spec.resolution === undefined) return open(escalation, project);
      if (project !== undefined && !(await apply(escalation, project))) return settled;
      return close(escalation);
    },
  };

  /**
   * Who raises an Escalation creates it first, and names it in the Project then. Until it is named there it decides
   * nothing; one that stays unnamed was overtaken (a crash, a merge that had happened) and goes, so that its name is
   * free for the next time.
   */
  async function waitForProject({ metadata }: Escalation): Promise<Next> {
    const ageMs = clock.now() - Date.parse(metadata.creationTimestamp ?? "");
    if (ageMs >= 0 && ageMs < unnamedMsMax) return inSeconds((unnamedMsMax - ageMs) / 1000);
    await client.delete("Escalation", keyOf({ metadata }), {
      preconditions: { uid: metadata.uid ?? "", resourceVersion: metadata.resourceVersion ?? "" },
    });
    return settled;
  }

  /** The Escalation is gone, by whatever hand: nobody can decide it, so the Project goes on. */
  async function withdraw(key: ObjectKey): Promise<Next> {
    const { items } = await client.list("Project", { namespace });
    const project = items.find(({ status }) => status?.escalation === key.name);
    if (project === undefined) return settled;
    const status = project.status ?? {};
    await writeStatus(client, "Project", project, {
      ...status,
      escalation: undefined,
      conditions: withConditions(status.conditions, whenOf(clock, project), {
        type: "Escalated",
        status: "False",
        reason: "Withdrawn",
        message: `${key.name} was removed.`,
      }),
    });
    return settled;
  }

  async function open(escalation: Escalation, project: Project | undefined): Promise<Next> {
    if (project !== undefined && project.status?.escalation === escalation.metadata.name) {
      const message = `${escalation.metadata.name} waits for a person.`;
      await writeStatus(client, "Project", project, {
        ...project.status,
        conditions: withConditions(project.status.conditions, whenOf(clock, project), {
          type: "Escalated",
          status: "True",
          reason: escalation.spec.reason,
          message,
        }),
      });
    }
    if (escalation.status?.state === "Open") return settled;
    const written = await writeStatus(client, "Escalation", escalation, {
      ...escalation.status,
      state: "Open",
      observedGeneration: escalation.metadata.generation,
      conditions: withConditions(escalation.status?.conditions, whenOf(clock, escalation), {
        type: "Succeeded",
        status: "Unknown",
        reason: "Open",
        message: "It waits for spec.resolution.",
      }),
    });
    if (written !== undefined)
      events.event(written, "Warning", escalation.spec.reason, escalation.spec.message ?? "");
    return settled;
  }

  /** @returns false when the Project has to let go of its claim first */
  async function apply(escalation: Escalation, project: Project): Promise<boolean> {
    const status = project.status ?? {};
    // Already taken in: only the Escalation's own status is missing.
    if (status.escalation !== escalation.metadata.name) return true;
    // The agent saves and lets go before a decision moves the work on.
    if (status.claim !== undefined) return false;
    await writeStatus(client, "Project", project, resolved(escalation, project));
    return true;
  }

  function resolved(escalation: Escalation, project: Project): ProjectStatus {
    const status = project.status ?? {};
    const { reason, commit, resolution } = escalation.spec;
    const action = resolution?.action ?? "Abandon";
    const note = resolution?.note;
    const entry = {
      escalation: escalation.metadata.name,
      reason,
      action,
      ...(commit === undefined ? {} : { commit }),
      ...(note === undefined ? {} : { note }),
    };
    const message = `A person decided ${action}${note === undefined ? "." : `: ${note}`}`;
    const escalated = { type: "Escalated", status: "False", reason: action, message } as const;
    return {
      ...status,
      ...effect(action, reason, status),
      escalation: undefined,
      resolutions: [...(status.resolutions ?? []), entry].slice(-50),
      conditions: withConditions(status.conditions, whenOf(clock, project), escalated),
    };
  }

  async function close(escalation: Escalation): Promise<Next> {
    const action = escalation.spec.resolution?.action ?? "Abandon";
    const written = await writeStatus(client, "Escalation", escalation, {
      ...escalation.status,
      state: "Resolved",
      outcome: `${action} was carried out.`,
      resolvedTime: timestamp(clock.now()),
      observedGeneration: escalation.metadata.generation,
      conditions: withConditions(escalation.status?.conditions, whenOf(clock, escalation), {
        type: "Succeeded",
        status: "True",
        reason: action,
        message: `${action} was carried out.`,
      }),
    });
    if (written !== undefined) events.event(written, "Normal", action, `${action} was carried out.`);
    return settled;
  }

  async function ofProject(object: { metadata: { name: string } }): Promise<readonly ObjectKey[]> {
    const { items } = await client.list("Escalation", { namespace });
    const named = (object as Project).status?.escalation;
    const open = items
      .filter(({ spec, status }) => spec.project === object.metadata.name && status?.state !== "Resolved")
      .map(({ metadata }) => metadata.name);
    return [...new Set(named === undefined ? open : [...open, named])].map((name) => ({ namespace, name }));
  }
}

/** The Project waits for it, or has taken its decision in. */
function isPosed({ metadata }: Escalation, { status }: Project): boolean {
  return (
    status?.escalation === metadata.name ||
    status?.resolutions?.some(({ escalation }) => escalation === metadata.name) === true
  );
}

/** What each action changes besides ending the Escalation; the phase follows from it. */
function effect(action: string, reason: string, status: ProjectStatus): Partial<ProjectStatus> {
  switch (action) {
    case "Approve":
      // The decision holds for one commit: the asked-for changes are waived, the review controller approves in person's name.
      return reason === "ReviewDeadlock" ? { verdict: undefined } : {};
    case "Rework":
      return reason === "ReviewDeadlock" ? { extraCycles: (status.extraCycles ?? 0) + 1 } : {};
    case "Resolved":
      return reason === "MergeConflict" ? { mergeFailure: undefined, pendingConflicts: 0 } : {};
    case "Continue":
    case "Reassign":
      return { workedSeconds: 0 };
    default:
      return {};
  }
}
