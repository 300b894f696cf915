/** A simulated world in which one story is told: nothing goes wrong but what the story says. */
import type { Kinds, Project, ProjectSpec, WorkspaceSpec } from "../../pkg/api/generated.ts";
import type { Condition } from "../../pkg/api/meta.ts";
import { phaseOf } from "../../pkg/api/phases.ts";
import type { Kind } from "../../pkg/runtime/client.ts";
import { Broken } from "./broken.ts";
import { declare } from "./declare.ts";
import { watchInvariants } from "./invariants.ts";
import { noFaults } from "./kernel/sim-client.ts";
import { unsettled } from "./liveness.ts";
import { type Operator, operator } from "./operator.ts";
import { kindTemper, type Temper } from "./world/conduct.ts";
import { fairWeather } from "./world/seen-by.ts";
import { makeWorld, type World } from "./world.ts";

const minute = 60_000;

export interface StoryOptions {
  seed?: number;
  builders?: number;
  reviewers?: number;
  workspace?: Partial<WorkspaceSpec>;
  usd?: number;
  temper?: Partial<Temper>;
}

export interface Story {
  world: World;
  operator: Operator;
  /** Declares Projects, in this order. */
  projects(...names: readonly string[]): Promise<void>;
  project(name: string, spec: Partial<ProjectSpec>, labels?: Record<string, string>): Promise<void>;
  patch(kind: Kind, name: string, spec: Record<string, unknown>): Promise<void>;
  resolve(action: string, reason?: string): Promise<void>;
  /** Lets so much time pass; fails where so much happens in it that it does not. */
  minutes(count: number): Promise<void>;
  /** Lets time pass until `holds`; fails after `hours`. */
  until(what: string, holds: () => unknown, hours?: number): Promise<void>;
  the<K extends Kind>(kind: K, name: string): Kinds[K];
  phase(name: string): string | undefined;
  /** Whether a session works on the Project now. */
  works(name: string): boolean;
  condition(kind: Kind, name: string, type: string): Condition | undefined;
  /** The one that a Project waits for, or waited for. */
  escalation(reason: string): Kinds["Escalation"] | undefined;
}

export async function tell(options: StoryOptions = {}): Promise<Story> {
  const { seed = 1, builders = 1, reviewers = 1, workspace = {}, usd = 10_000, temper = {} } = options;
  const world = await makeWorld({ seed, temper: { ...kindTemper, approves: 1, ...temper } });
  const { api, scheduler, sessions } = world;
  watchInvariants(world);
  await api.create("Workspace", declare.workspace(workspace));
  await api.create("Budget", declare.budget(usd));
  const op = operator({ world, faults: noFaults, weather: fairWeather, failpoints: { deaths: 0 } });
  op.start();
  const pass = async (minutes: number, stepsMax: number): Promise<void> => {
    const ended = await scheduler.run({ untilMs: scheduler.elapsedMs + minutes * minute, stepsMax });
    if (ended === "steps")
      throw new Broken(
        `${minutes} minutes were not over after ${stepsMax} steps.\n${unsettled(world).join("\n")}`,
      );
  };
  // One after the other, so that builders are agent-1 and on.
  await api.create("AgentPool", declare.pool("builders", "Execution", builders));
  await pass(1, 10_000);
  await api.create("AgentPool", declare.pool("reviewers", "Review", reviewers));
  await pass(1, 10_000);
  const key = (name: string) => ({ namespace: "default", name });
  const story: Story = {
    world,
    operator: op,
    async projects(...names) {
      for (const name of names) await story.project(name, {});
    },
    async project(name, spec, labels = {}) {
      await api.create("Project", declare.namedProject(name, spec, labels));
    },
    async patch(kind, name, spec) {
      await api.patch(kind, key(name), { spec });
    },
    async resolve(action, reason) {
      const open = api
        .objects("Escalation")
        .find(
          ({ spec }) => spec.resolution === undefined && (reason === undefined || spec.reason === reason),
        );
      if (open === undefined) throw new Error("There is no open Escalation");
      await api.patch("Escalation", key(open.metadata.name), { spec: { resolution: { action } } });
    },
    minutes: (count) => pass(count, 200_000),
    async until(what, holds, hours = 6) {
      if (holds()) return;
      const untilMs = scheduler.elapsedMs + hours * 60 * minute;
      const afterEachStep = (): boolean => Boolean(holds());
      const ended = await scheduler.run({ untilMs, stepsMax: 200_000, afterEachStep });
      if (ended !== "asked")
        throw new Broken(
          `It never came to this: ${what}. It ended by ${ended}.\n${unsettled(world).join("\n")}`,
        );
    },
    the(kind, name) {
      const found = api.object(kind, name);
      if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
      return found;
    },
    phase: (name) => {
      const project = api.object("Project", name);
      return project === undefined ? undefined : phaseOf(project as Project);
    },
    works: (name) => sessions.hosts().some(({ spec }) => spec.project === name && spec.purpose === "execute"),
    condition(kind, name, type) {
      const { conditions } =
        (story.the(kind, name) as { status?: { conditions?: Condition[] } }).status ?? {};
      return conditions?.find((condition) => condition.type === type);
    },
    escalation: (reason) =>
      api
        .objects("Escalation")
        .find(({ spec, status }) => spec.reason === reason && status?.state !== undefined),
  };
  return story;
}
