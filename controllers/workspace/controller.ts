/** Keeps the Workspace's stop, baseline and summary true. */
import type { Workspace, WorkspaceMode, WorkspaceStatus } from "../../pkg/api/generated.ts";
import { keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { isConflict } from "../../pkg/api/status-error.ts";
import { fresh } from "../../pkg/runtime/caching-client.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import {
  budgetsInForce,
  type Deps,
  theWorkspace,
  theWorkspaceKey,
  unlessItFails,
  whenOf,
  withConditions,
} from "../deps.ts";
import { budgetStanding, workspaceInput } from "../facts.ts";
import {
  baseline,
  baselinePassing,
  checksConfigured,
  type Observation,
  ready,
  stopOf,
  stoppedCondition,
  stopStep,
} from "./decide.ts";
import { endOrphans } from "./orphans.ts";
import { watchedTarget } from "./target.ts";

/** How often everything is looked at when nothing wakes us, in seconds. */
const lookAgainSeconds = 300;
/** How often sessions that are nobody's are sought at most, in milliseconds: all sessions are read for it. */
const seekOrphansMs = lookAgainSeconds * 1000;
/** How soon a target that could not be seen is looked for again, in seconds. */
const unknownAgainSeconds = 30;
/** Whatever has failed for hours, a full disk under git for instance, a stop that fails once does not wait for longer. */
const backoffMsMax = 30_000;

export function workspaceController(deps: Deps): Controller {
  const { client, clock, latch, events, upstream } = deps;
  const theTarget = watchedTarget(deps);
  /** When sessions that are nobody's were sought last, by `clock.elapsed`. */
  let orphansSoughtMs = Number.NEGATIVE_INFINITY;
  return {
    name: "workspace",
    concurrency: 1,
    backoffMsMax,
    watches: [
      { kind: "Workspace", by: workspaceInput },
      { kind: "Budget", by: budgetStanding, map: theOne },
    ],
    signals: [
      { subscribe: (wake, signal) => latch.subscribe(() => unlessItFails(wakeTheOne(wake)), signal) },
      { subscribe: (wake, signal) => theTarget.subscribe(() => unlessItFails(wakeTheOne(wake)), signal) },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const workspace = await client.get("Workspace", key);
      if (workspace === undefined) return settled;
      const first = await theWorkspace(deps);
      if (first?.metadata.uid !== workspace.metadata.uid) return report(workspace, second(workspace, first));

      // After the Workspace was read: what is released now was in force when its mode was written, or it is older.
      const seenLatch = await latch.look();
      switch (stopStep(workspace, seenLatch)) {
        case "engage":
          await engage(workspace);
          return inSeconds(0);
        case "release":
          // No other than the one that the mode has seen.
          await latch.release(seenLatch.engaged);
          // The mode has said it already, and may say Stopped again by now.
          await latch.settle();
          return inSeconds(0);
        case "note":
          await writeStatus(client, "Workspace", workspace, {
            ...workspace.status,
            stop: stopOf(workspace, seenLatch.engaged),
          });
          return inSeconds(0);
        case "declare":
          // Noted with it, so that a person who releases this stop at the same moment means this mode too.
          await note(await setMode(workspace, "Stopped"), seenLatch.engaged);
          return inSeconds(0);
        case "resume":
          await setMode(workspace, "Running");
          return inSeconds(0);
        case "agree":
          if (seenLatch.released !== undefined) await latch.settle();
      }

      if (clock.elapsed() - orphansSoughtMs >= seekOrphansMs) {
        orphansSoughtMs = clock.elapsed();
        await endOrphans(workspace, deps);
      }
      const seen = await observe(workspace, seenLatch.engaged);
      await report(workspace, status(workspace, seen));
      return inSeconds(seen.target.is === "unknown" ? unknownAgainSeconds : lookAgainSeconds);
    },
  };

  async function observe(workspace: Workspace, stop: string | undefined): Promise<Observation> {
    const { target, checks } = await theTarget.look(workspace);
    return { stop, target, checks, budgets: await budgetsInForce(deps) };
  }

  function status(workspace: Workspace, seen: Observation): WorkspaceStatus {
    return {
      ...workspace.status,
      upstream,
      stop: stopOf(workspace, seen.stop),
      baseline: baseline(seen) ?? workspace.status?.baseline,
      observedGeneration: workspace.metadata.generation,
      conditions: withConditions(
        workspace.status?.conditions,
        whenOf(clock, workspace),
        baselinePassing(seen),
        checksConfigured(workspace),
        stoppedCondition(workspace),
        ready(workspace, seen),
      ),
    };
  }

  async function report(workspace: Workspace, next: WorkspaceStatus): Promise<Next> {
    const before = workspace.status?.conditions?.find(({ type }) => type === "Ready");
    const written = await writeStatus(client, "Workspace", workspace, next);
    const now = next.conditions?.find(({ type }) => type === "Ready");
    if (
      written !== undefined &&
      now !== undefined &&
      now.reason !== before?.reason &&
      now.status !== "Unknown"
    )
      events.event(written, now.status === "True" ? "Normal" : "Warning", now.reason, now.message);
    return settled;
  }

  /** File mode has one Workspace a folder: a second one is told so, and nothing else is done with it. */
  function second(workspace: Workspace, first: Workspace | undefined): WorkspaceStatus {
    const message = `The Workspace ${first?.metadata.name} is in force already; a namespace has one. Remove this one.`;
    return {
      ...workspace.status,
      observedGeneration: workspace.metadata.generation,
      conditions: withConditions(workspace.status?.conditions, whenOf(clock, workspace), {
        type: "Ready",
        status: "False",
        reason: "SecondWorkspace",
        message,
      }),
    };
  }

  /**
   * This stop comes from the mode, so it is noted as declared whatever the mode has become meanwhile: that is newer. Also one
   * that a person released before it could be noted: the mode would otherwise count as another stop, and begin it anew.
   */
  async function engage(workspace: Workspace): Promise<void> {
    await latch.engage("The Workspace's mode is Stopped.");
    const { engaged, released } = await latch.look();
    await note(workspace, engaged ?? released);
  }

  /**
   * Writes what `workspace` said of this stop into the newest status. Whatever else was written meanwhile does not make
   * that untrue; another stop that was noted meanwhile is newer, and stays.
   */
  async function note(workspace: Workspace, engaged: string | undefined): Promise<void> {
    if (engaged === undefined) return;
    const stop = stopOf(workspace, engaged);
    for (let now: Workspace | undefined = workspace; now !== undefined; ) {
      if (now.status?.stop?.name !== workspace.status?.stop?.name) return;
      const { resourceVersion } = now.metadata;
      const patch = { metadata: { resourceVersion }, status: { stop } };
      try {
        await client.patch("Workspace", keyOf(now), patch, { subresource: "status" });
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
        now = await fresh(client).get("Workspace", keyOf(now));
      }
    }
  }

  async function setMode(workspace: Workspace, mode: WorkspaceMode): Promise<Workspace> {
    try {
      const resourceVersion = workspace.metadata.resourceVersion ?? "";
      return await client.patch("Workspace", keyOf(workspace), {
        metadata: { resourceVersion },
        spec: { mode },
      });
    } catch (error) {
      if (!isConflict(error)) throw error;
      throw new TransientError(
        "Conflict",
        `Workspace ${workspace.metadata.name} was written by somebody else.`,
        { cause: error },
      );
    }
  }

  function theOne(): Promise<readonly ObjectKey[]> {
    return theWorkspaceKey(deps);
  }

  async function wakeTheOne(wake: (key: ObjectKey) => void): Promise<void> {
    for (const key of await theOne()) wake(key);
  }
}
