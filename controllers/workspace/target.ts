/** The target and its checks, asked for only when they may have changed: each asking is several runs of git. */
import type { Workspace } from "../../pkg/api/generated.ts";
import type { Deps } from "../deps.ts";
import type { Observation } from "./decide.ts";

type Target = Pick<Observation, "target" | "checks">;

/** What was seen last holds no longer than this, in milliseconds: signals get lost. */
const holdsMs = 600_000;

export interface WatchedTarget {
  look(workspace: Workspace): Promise<Target>;
  /** Calls `wake` when a look may show something new. */
  subscribe(wake: () => void, signal: AbortSignal): void;
}

export function watchedTarget({ repository, quality, clock }: Deps): WatchedTarget {
  let last: { seen: Target; about: string; atMs: number } | undefined;
  /** Grows with each signal: what was asked for before it is not kept. */
  let moves = 0;
  /** The commit whose checks were asked for last. */
  let awaited: string | undefined;

  async function ask({ spec }: Workspace): Promise<Target> {
    const target = await repository.target();
    if (target.is !== "present" || spec.mode === "Stopped") return { target, checks: undefined };
    // Said before the asking: they may end at once.
    awaited = target.value;
    return { target, checks: await quality.checks(target.value, spec.commands) };
  }

  return {
    async look(workspace) {
      const about = JSON.stringify([workspace.metadata.generation, workspace.status?.target?.commit]);
      if (last !== undefined && last.about === about && clock.elapsed() - last.atMs < holdsMs)
        return last.seen;
      const before = moves;
      const seen = await ask(workspace);
      const holds = seen.target.is === "present" && seen.checks?.is !== "running" && before === moves;
      last = holds ? { seen, about, atMs: clock.elapsed() } : undefined;
      return seen;
    },
    subscribe(wake, signal) {
      const moved = (): void => {
        moves += 1;
        last = undefined;
        wake();
      };
      repository.subscribe(moved, signal);
      quality.subscribe((commit) => {
        if (commit === awaited) moved();
      }, signal);
    },
  };
}
