/** The people of the simulated world: they declare, steer, decide, commit, and press stop, at random moments. */
import { ACTIONS } from "../../pkg/api/escalations.ts";
import type { Escalation, Project, WorkspaceMode } from "../../pkg/api/generated.ts";
import { PROJECT_CATEGORIES } from "../../pkg/api/generated.ts";
import { phaseOf, SETTLED_PHASES } from "../../pkg/api/phases.ts";
import { isAlreadyExists, StatusError } from "../../pkg/api/status-error.ts";
import type { Kind } from "../../pkg/runtime/client.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { declare } from "./declare.ts";
import type { Prng } from "./kernel/prng.ts";
import { textEditor } from "./text-editor.ts";
import { BROKEN } from "./world/quality.ts";
import { FILES, fileName } from "./world/work.ts";
import type { World } from "./world.ts";

const minute = 60_000;
const namespace = "default";

export interface People {
  /** From now on they only put right what they left, and decide what they are asked. */
  calmDown(): Promise<void>;
}

export function people(world: World): People {
  const { api, scheduler } = world;
  const { clock } = scheduler.world;
  const chance = world.prng("people");
  let calm = false;
  let made = 0;
  const patch = (kind: Kind, name: string, body: Record<string, unknown>): Promise<unknown> =>
    allowed(api.patch(kind, { namespace, name }, body));
  const setMode = (mode: WorkspaceMode): Promise<unknown> =>
    patch("Workspace", "workspace", { spec: { mode } });
  const later = (maxMs: number, act: () => unknown): void => {
    void clock.sleep(chance.below(maxMs)).then(() => {
      if (!calm) act();
    });
  };
  const project = (): Project | undefined => pick(chance, open(world));

  const habits: { weight: number; act: () => unknown }[] = [
    { weight: 9, act: create },
    {
      weight: 3,
      act: async () => {
        const agent = pick(chance, api.objects("Agent"))?.metadata.name;
        if (agent === undefined) return;
        await patch("Agent", agent, { spec: { paused: true } });
        later(40 * minute, () => patch("Agent", agent, { spec: { paused: false } }));
      },
    },
    {
      weight: 2,
      act: async () => {
        const pool = pick(chance, api.objects("AgentPool"))?.metadata.name ?? "";
        await patch("AgentPool", pool, { spec: { paused: true } });
        later(30 * minute, () => patch("AgentPool", pool, { spec: { paused: false } }));
      },
    },
    {
      weight: 1,
      act: async () => {
        await setMode("Paused");
        later(20 * minute, () => setMode("Running"));
      },
    },
    {
      weight: 1,
      act: async () => {
        // `bosun stop --emergency`: the latch, then every process, with or without an operator.
        if (chance.chance(0.5)) {
          await world.latch.engage();
          world.sessions.killAll();
        } else await setMode("Stopped");
        // Some take it back at once, before everybody has heard of it.
        later(chance.chance(0.3) ? chance.below(2000) : 20 * minute, async () => {
          // As `bosun resume` does: both.
          await setMode("Running");
        });
      },
    },
    {
      weight: 2,
      act: async () => {
        const name = pick(chance, PROJECT_CATEGORIES) ?? "testing";
        const metadata = { namespace, name };
        await allowed(
          api.create("Category", {
            apiVersion: "bosun.dev/v1alpha1",
            kind: "Category",
            metadata,
            spec: { mode: "Enabled" },
          }),
        );
        await patch("Category", name, { spec: { mode: "Paused" } });
        later(60 * minute, () => patch("Category", name, { spec: { mode: "Enabled" } }));
      },
    },
    {
      weight: 4,
      act: () =>
        chance.chance(0.7)
          ? patch("AgentPool", "builders", { spec: { replicas: chance.below(11) } })
          : patch("AgentPool", "reviewers", { spec: { replicas: chance.below(5) } }),
    },
    {
      weight: 3,
      act: async () => {
        const name = project()?.metadata.name;
        if (name === undefined) return;
        await patch("Project", name, { spec: { skip: true } });
        later(60 * minute, () => patch("Project", name, { spec: { skip: false } }));
      },
    },
    {
      weight: 3,
      act: async () => {
        const name = project()?.metadata.name;
        if (name === undefined) return;
        await patch("Project", name, { spec: { assignedAgent: `agent-${1 + chance.below(10)}` } });
        later(60 * minute, () => patch("Project", name, { spec: { assignedAgent: null } }));
      },
    },
    {
      weight: 2,
      act: () => {
        const agent = pick(chance, api.objects("Agent"))?.metadata.name ?? "agent-1";
        return patch("Agent", agent, { spec: { restartedAt: timestamp(clock.now()) } });
      },
    },
    {
      weight: 1,
      act: () => {
        const name = project()?.metadata.name;
        return name === undefined ? undefined : allowed(api.delete("Project", { namespace, name }));
      },
    },
    {
      weight: 2,
      act: async () => {
        // What is left then is too little for all who are at work, or nothing.
        const spent = api.object("Budget", "all")?.status?.daily?.spentUSD ?? 0;
        const usd = chance.chance(0.6) ? spent + chance.below(300) / 100 : 5 + chance.below(150);
        await patch("Budget", "all", { spec: { daily: { usd: Math.max(0.01, usd) } } });
        later(60 * minute, () => patch("Budget", "all", { spec: { daily: { usd: 1000 } } }));
      },
    },
    {
      weight: 5,
      act: () => {
        const broken = chance.chance(0.15);
        const content = `${broken ? BROKEN : "user"} ${chance.below(1e9)}`;
        const path = fileName(chance.below(FILES));
        world.repository.userCommits({ [path]: content });
        if (broken) later(60 * minute, () => mend(world, chance));
      },
    },
    {
      weight: 2,
      act: () => {
        world.repository.userIsDirty = true;
        later(60 * minute, () => {
          world.repository.userIsDirty = false;
          world.repository.wake();
        });
      },
    },
    {
      weight: 1,
      act: () => {
        world.repository.userRewrites();
        later(30 * minute, () => world.repository.userRestores());
      },
    },
    {
      weight: 1,
      act: () => {
        const host = pick(chance, world.sessions.hosts());
        if (host !== undefined) world.sessions.kill(host.spec.id);
      },
    },
    {
      weight: 1,
      act: () => {
        // Something else fills the disk, until somebody makes room; or it does not take what git writes.
        if (chance.chance(0.6)) world.machine.isFull = true;
        else world.machine.isFailing = true;
        later(10 * minute, makeRoom);
      },
    },
    {
      weight: 1,
      act: () => {
        if (chance.chance(0.3)) world.money.useUp(chance.below(120 * minute));
      },
    },
  ];
  const texts = world.texts === undefined ? undefined : textEditor(world, world.texts);
  if (texts !== undefined) habits.push({ weight: 8, act: () => texts.edit(later) });
  const weights = habits.reduce((sum, { weight }) => sum + weight, 0);

  async function create(): Promise<void> {
    made += 1;
    await allowed(api.create("Project", declare.project(made, chance)));
  }

  async function live(): Promise<void> {
    for (let count = 0; count < 5; count += 1) await create();
    while (!calm) {
      await clock.sleep(chance.below(10 * minute));
      if (calm) return;
      let roll = chance.below(weights);
      const habit = habits.find(({ weight }) => {
        roll -= weight;
        return roll < 0;
      });
      await habit?.act();
      if (world.repository.targetHead !== world.repository.userHead && chance.chance(0.1))
        world.repository.userMerges();
    }
  }

  /** Looks through the open Escalations now and then, and decides each by what its reason allows. */
  async function decide(): Promise<void> {
    for (;;) {
      await clock.sleep((calm ? 2 : 5) * minute + chance.below(10 * minute));
      for (const escalation of api.objects("Escalation"))
        if (escalation.spec.resolution === undefined && (calm || chance.chance(0.5)))
          await resolve(escalation);
      if (calm) await putRight();
    }
  }

  async function resolve({ metadata, spec }: Escalation): Promise<void> {
    if (spec.reason === "TargetRewritten") world.repository.userRestores();
    const decided = api.object("Project", spec.project ?? "")?.status?.resolutions?.length ?? 0;
    // Nobody goes on for ever: what came up again and again is given up.
    const actions = calm && decided >= 3 ? ["Abandon"] : ACTIONS[spec.reason];
    const action = pick(chance, actions) ?? "Abandon";
    const note = chance.chance(0.5) ? "Mind the tests." : undefined;
    await patch("Escalation", metadata.name, {
      spec: { resolution: { action, ...(note === undefined ? {} : { note }) } },
    });
  }

  function makeRoom(): void {
    world.machine.isFull = false;
    world.machine.isFailing = false;
  }

  /** Everything that a person could have left in the way. */
  async function putRight(): Promise<void> {
    if (world.latch.isEngaged || api.object("Workspace", "workspace")?.spec.mode !== "Running")
      await setMode("Running");
    for (const { metadata, spec } of api.objects("AgentPool"))
      if (spec.paused) await patch("AgentPool", metadata.name, { spec: { paused: false } });
    for (const { metadata, spec } of api.objects("Agent"))
      if (spec.paused) await patch("Agent", metadata.name, { spec: { paused: false } });
    for (const { metadata, spec } of api.objects("Category"))
      if (spec.mode !== "Enabled") await patch("Category", metadata.name, { spec: { mode: "Enabled" } });
    for (const { metadata, spec } of api.objects("Project"))
      if (spec.skip || spec.assignedAgent !== undefined)
        await patch("Project", metadata.name, { spec: { skip: false, assignedAgent: null } });
    await texts?.putRight();
    world.repository.userIsDirty = false;
    world.repository.userRestores();
    if (!world.quality.isGreen(world.repository.targetHead)) mend(world, chance);
    // Red for no reason: results are kept by tree, so that something has to change.
    else if (world.quality.hasFlaked(world.repository.targetHead))
      world.repository.userCommits({ [fileName(0)]: `user ${chance.below(1e9)}` });
    const { userHead, targetHead, objects } = world.repository;
    if (userHead !== targetHead && !objects.isAncestor(userHead, targetHead)) world.repository.userMerges();
  }

  const declared = declareAll(world);
  void declared.then(live);
  void declared.then(decide);
  return {
    async calmDown() {
      calm = true;
      makeRoom();
      world.upstream.usedUpUntilMs = 0;
      await declared;
      await patch("AgentPool", "builders", { spec: { replicas: 7 } });
      await patch("AgentPool", "reviewers", { spec: { replicas: 3 } });
      await patch("Budget", "all", { spec: { daily: { usd: 100_000 } } });
      await putRight();
    },
  };
}

/** Where days begin at other times, and have 23 and 25 hours. */
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"];

async function declareAll({ api, prng }: World): Promise<void> {
  const zone = pick(prng("zone"), ZONES);
  await insist(() => api.create("Workspace", declare.workspace()));
  await insist(() => api.create("Budget", declare.budget(1000, "all", zone)));
  await insist(() => api.create("AgentPool", declare.pool("builders", "Execution", 7)));
  await insist(() => api.create("AgentPool", declare.pool("reviewers", "Review", 3)));
}

/** Asks again when the operator ended meanwhile; what was made by then is there. */
async function insist(create: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await create();
      return;
    } catch (error) {
      if (isAlreadyExists(error)) return;
      if (!(error instanceof StatusError) || error.code !== 503) throw error;
    }
  }
}

/** Projects that somebody could still steer. */
function open({ api }: World): readonly Project[] {
  return api.objects("Project").filter((project) => !SETTLED_PHASES.has(phaseOf(project)));
}

/** The user repairs what is broken on the target. */
function mend({ repository }: World, chance: Prng): void {
  const files: Record<string, string> = {};
  for (const head of [repository.userHead, repository.targetHead])
    for (const [path, content] of repository.objects.get(head).tree)
      if (content.startsWith(BROKEN)) files[path] = `mended ${chance.below(1e9)}`;
  if (repository.userHead !== repository.targetHead) repository.userMerges();
  if (Object.keys(files).length > 0) repository.userCommits(files);
}

/** A request that the API may refuse, since what it is about is gone or there. */
async function allowed(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof StatusError) || error.code === 422) throw error;
  }
}

function pick<T>(chance: Prng, items: readonly T[]): T | undefined {
  return items[chance.below(Math.max(1, items.length))];
}
