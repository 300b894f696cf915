import path from "node:path";
import { allControllers } from "../../../controllers/controllers.ts";
import type { Workspace } from "../../../pkg/api/generated.ts";
import { loadPrompts } from "../../../pkg/prompts/load.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { eventRecorder } from "../../../pkg/runtime/events.ts";
import type { Failpoints } from "../../../pkg/runtime/failpoints.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { Manager } from "../../../pkg/runtime/manager.ts";
import type { SandboxAvailability } from "../../../pkg/sandbox/available.ts";
import { followedLatch } from "../../../pkg/session/file-stop-latch.ts";
import type { LatchWatch } from "../../../pkg/system/latch-watch.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { systemIds, systemRandom } from "../../../pkg/system/system.ts";
import type { ChosenUpstream } from "./upstream.ts";
import type { World } from "./world.ts";

export interface NewManagerOptions {
  client: Client;
  /** Of the workspace. */
  namespace: string;
  /** Guarded: what controllers do has to be decided on what is so now. */
  world: World;
  workspace: Workspace;
  latchWatch: LatchWatch;
  upstream: ChosenUpstream;
  sandbox: SandboxAvailability;
  clock: Clock;
  logger: Logger;
  failpoints: Failpoints;
}

/** All controllers on caches of their own, not started yet. */
export function newManager(options: NewManagerOptions): Manager {
  const { client, namespace, world, workspace, latchWatch, upstream, sandbox } = options;
  const { clock, logger, failpoints } = options;
  return new Manager({
    client,
    clock,
    random: systemRandom,
    logger,
    controllers: (cached) =>
      allControllers({
        client: cached,
        clock,
        ids: systemIds,
        random: systemRandom,
        events: eventRecorder({ client: cached, clock, ids: systemIds, logger, component: "bosun" }),
        failpoints,
        namespace,
        sessions: world.sessions,
        repository: world.repository,
        quality: world.quality,
        money: world.gateway,
        prompts: loadPrompts(path.join(packageRoot(), "prompts")),
        latch: followedLatch(latchWatch),
        upstream: upstream.kind,
        sandbox: sandbox.available ? workspace.spec.sandbox : "Off",
      }),
  });
}
