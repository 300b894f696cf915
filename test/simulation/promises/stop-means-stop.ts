/** Promise 4: stop means stop. Under the latch nothing runs, starts or is paid for; what is paused is not started. */
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import type { Host } from "../world/sessions.ts";
import type { World } from "../world.ts";
import { promise } from "./promise.ts";

const hold = promise(4, "stop means stop");

/**
 * How long something that was paused may still be started: caches and informers lag, their back-off is at most 30 s. In
 * a cluster a watch may also be silent for 150 s before it is given up.
 */
const graceMs = { Files: 90_000, Cluster: 300_000 };
/** How long after `mode: Stopped` was told something may run, while an operator acts that hears of it. */
const stopMs = 300_000;

export class Stops {
  readonly #world: World;
  readonly #since = new Map<string, number>();
  readonly #graceMs: number;
  #hears = true;
  /** The latch was engaged since the mode was last another than Stopped: a person who resumes releases it first. */
  #latched = false;

  /** @param where - the objects are, of an operator that can be cut off from them */
  constructor(world: World, where: "Files" | "Cluster") {
    this.#world = world;
    this.#graceMs = graceMs[where];
    world.upstream.onTake = () => this.#paid();
  }

  /** An object has changed. */
  see(object: KubeObject): void {
    const { kind, metadata, spec } = object;
    this.#note(`${kind}/${metadata.name}`, isHeld(object));
    if (kind !== "Workspace") return;
    const { mode } = spec as { mode?: string };
    if (mode !== "Stopped") {
      this.#wasLatched();
      this.#latched = this.#world.latch.isEngaged;
    }
    this.#note("Stopped", mode === "Stopped");
  }

  started({ spec }: Host): void {
    const holders: [Kind, string][] = [
      ["Agent", spec.agent],
      ["AgentPool", spec.pool],
      ["Workspace", "workspace"],
    ];
    for (const [kind, name] of holders) {
      // Watchers are told later than a read shows it that something was let go.
      const newest = this.#world.api.newest(kind, name);
      const isFree = newest !== undefined && !isHeld(newest);
      hold(
        isFree || this.#age(`${kind}/${name}`) <= this.#graceMs,
        () => `${spec.agent} was started although ${kind}/${name} is held`,
      );
    }
    hold(!this.#world.latch.isEngaged, () => `${spec.agent} was started under the stop latch`);
  }

  /** The latch was engaged, by whomever. */
  engaged(): void {
    this.#latched = true;
    const left = this.#world.sessions.hosts().map(({ spec }) => spec.agent);
    hold(left.length === 0, () => `${left.join()} go on under the stop latch`);
  }

  /** An operator begins: what its predecessors did not come to is its own to do. */
  operatorStarts(): void {
    if (this.#since.has("Stopped")) this.#since.set("Stopped", this.#world.scheduler.elapsedMs);
  }

  /** Whether an operator acts that hears what people declare; what it could not hear of, it has yet to do. */
  operatorHears(hears: boolean): void {
    this.#hears = hears;
    if (hears) for (const key of this.#since.keys()) this.#since.set(key, this.#world.scheduler.elapsedMs);
  }

  /** Mode Stopped ends: until a person released it the latch held, which is what stops what no operator sees. */
  #wasLatched(): void {
    const age = this.#hears ? this.#age("Stopped") : 0;
    hold(
      age <= stopMs || this.#latched,
      () => `the Workspace was stopped for ${Math.round(age / 1000)} s, and no latch was written`,
    );
  }

  #paid(): void {
    hold(!this.#world.latch.isEngaged, () => "a request was sent under the stop latch");
    const age = this.#hears ? this.#age("Stopped") : 0;
    hold(
      age <= stopMs,
      () => `a request was sent ${Math.round(age / 1000)} s after the Workspace was stopped`,
    );
  }

  #note(key: string, held: boolean): void {
    if (!held) this.#since.delete(key);
    else if (!this.#since.has(key)) this.#since.set(key, this.#world.scheduler.elapsedMs);
  }

  /** Milliseconds since it is held; negative infinity for what is not. */
  #age(key: string): number {
    const since = this.#since.get(key);
    return since === undefined ? Number.NEGATIVE_INFINITY : this.#world.scheduler.elapsedMs - since;
  }
}

function isHeld({ kind, spec }: KubeObject): boolean {
  const { paused, mode } = spec as { paused?: boolean; mode?: string };
  return paused === true || (kind === "Workspace" && mode !== "Running");
}
