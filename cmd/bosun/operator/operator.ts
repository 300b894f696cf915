/** The operator put together: everything real is made here and handed to what only knows interfaces. */
import path from "node:path";
import type { PreparedGateway } from "../../../pkg/gateway/start-process.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { eventRecorder } from "../../../pkg/runtime/events.ts";
import { sandboxAvailable } from "../../../pkg/sandbox/available.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { systemFailpoints } from "../../../pkg/system/failpoint.ts";
import { watchLatch } from "../../../pkg/system/latch-watch.ts";
import { systemClock, systemIds } from "../../../pkg/system/system.ts";
import { refreshSchemaCopy } from "../editor/schema-copy.ts";
import type { Reader } from "../operator-client/socket-client.ts";
import { endFormer } from "../stop/end-everything.ts";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { keepActing } from "./acting.ts";
import type { ClusterOptions } from "./cluster.ts";
import { openControlPlane } from "./control-plane.ts";
import { type Ending, endingOf, keepAtStop } from "./ending.ts";
import { followStop } from "./follow-stop.ts";
import { forgetOld } from "./forget-old.ts";
import { moneyMetrics } from "./money-metrics.ts";
import { newManager } from "./new-manager.ts";
import { notifyPerson } from "./notify.ts";
import { operatorLog } from "./operator-log.ts";
import { writeSessionFiles } from "./session-files.ts";
import { type Start, takeBack } from "./start.ts";
import { chooseSandbox, refuseToSwitch, requireWorkspace } from "./start-conditions.ts";
import { formerPlace, refuseCopy, settleHere, stateDirectory, stateOf } from "./state-directory.ts";
import { type ChosenUpstream, realUpstream, rehearsalUpstream } from "./upstream.ts";
import { countWarnings } from "./warning-metrics.ts";
import { workspaceSettings } from "./workspace-settings.ts";
import { gatewayToBe, guarded, openWorld } from "./world.ts";

export interface OperatorOptions {
  folder: WorkspaceFolder;
  env: Readonly<Record<string, string | undefined>>;
  rehearse: boolean;
  /** Absent: where the folder was last worked for, its own YAML unless it was moved into a cluster. */
  cluster?: ClusterOptions;
  /** Ends a start that waits for another operator to end, or for a server. */
  signal: AbortSignal;
  /** Folders of scenario files for a rehearsal. */
  scenarios: readonly string[];
  /** Factor on the pauses of a rehearsal; 1 when left out. */
  pace?: number;
  /** Told what a person should know before anything runs. */
  note(line: string): void;
  /** The operator can't go on: another took the lock, or the storage failed. */
  onFatal(error: Error): void;
}

export interface Operator extends Ending {
  /** Reads from the controllers' caches. */
  client: Reader;
  sessions: Sessions;
}

/**
 * Starts the operator of a workspace.
 *
 * @throws UserError when another one runs, the workspace can't be used, or a condition of the upstream does not hold
 */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const clock = systemClock;
  await nodeFileSystem.makeDirectory(options.folder.operator, 0o700);
  refreshSchemaCopy(options.folder);
  const start: Start = { clock, logger: operatorLog(options.folder.operator, clock), undo: [] };
  try {
    return await startParts(options, start);
  } catch (error) {
    // What a person has to know is why it did not start.
    await takeBack(start.undo).catch((cause: unknown) =>
      start.logger.warn("A part of a start that failed could not be ended", { error: cause }),
    );
    throw error;
  }
}

/** In this order, and ended in reverse: what is declared, the world, the controllers, what else follows the objects. */
async function startParts(options: OperatorOptions, start: Start): Promise<Operator> {
  const { folder, env, rehearse, note } = options;
  const { clock, logger, undo } = start;
  const failpoints = systemFailpoints(env.BOSUN_FAILPOINT);
  const ending = new AbortController();
  undo.push(() => ending.abort());
  const latchWatch = watchLatch(folder.stopLatch, clock, ending.signal);
  const stop = followStop(latchWatch, ending.signal);
  const sandboxFound = sandboxAvailable(clock);
  sandboxFound.catch(() => undefined); // Told where it is awaited.
  const openUpstream = onceOnly(() => upstreamFor(options, undo));
  let preparedGateway: PreparedGateway | undefined;
  const onHeld = (): void => {
    openUpstream().catch(() => undefined); // Told where it is awaited.
    preparedGateway = gatewayToBe(folder, rehearse);
    undo.push(() => preparedGateway?.close());
  };

  // Before the lock: the copy's says that the original's operator, where one lives, runs here.
  refuseCopy(folder);
  const plane = await openControlPlane({ ...options, heedStop: stop.look, onHeld }, start);
  const { client: direct, namespace, lock, metrics } = plane;
  const workspace = await requireWorkspace(direct, namespace, folder);
  refuseToSwitch(workspace, rehearse);
  const sandbox = chooseSandbox(await sandboxFound, workspace, rehearse, note);
  const state = stateDirectory(folder, env, stateOf(folder) ?? workspace.metadata.uid ?? "");
  const former = formerPlace(folder, state);
  if (former !== undefined) await endAtFormer(former, options, clock);
  settleHere(folder, state);
  // A credential that is missing is told before anything else is opened. A played model takes as long to start as git does.
  if (!rehearse) await openUpstream();
  const settings = workspaceSettings(workspace);
  const events = eventRecorder({ client: direct, clock, ids: systemIds, logger, component: "bosun" });
  const onGatewayReplaced = (message: string): void => {
    events.event(workspace, "Warning", "GatewayReplaced", message);
    note(`Warning: ${message}`);
  };

  const within = {
    folder,
    rehearse,
    term: lock.term,
    settings,
    state,
    openUpstream,
    preparedGateway,
    sandbox,
    latchWatch,
    onGatewayReplaced,
  };
  const opened = await openWorld({ ...within, clock, failpoints, stop, undo });
  // Not beside it: the first certificates keep this process from starting anything for a while, the target's checks too.
  await plane.begin(workspace);
  const world = guarded(opened, plane.assertHeld);
  // What controllers do has to be decided on what is so now; watching and ending what runs here has not.
  const acted = guarded(opened, plane.assertMayAct);
  const ends = { folder, world, settings, clock, logger };
  keepAtStop(stop, ends);

  const upstream = await openUpstream();
  const forControllers = {
    client: direct,
    namespace,
    world: acted,
    workspace,
    latchWatch,
    upstream,
    sandbox,
  };
  const acting = await keepActing(() => newManager({ ...forControllers, clock, logger, failpoints }), {
    right: plane.right,
    signal: options.signal,
    logger,
  });

  const reads: Reader = { namespace, ...acting.reads };
  const client: Client = { ...direct, ...reads };
  const followed = { client, namespace, clock, logger };
  const { sessions, gateway } = world;
  const isHeld = (): boolean => lock.isHeld();
  const shown = { ...followed, sessions, money: gateway, folder: folder.path, isHeld };
  const sessionFiles = writeSessionFiles(shown);
  undo.push(() => sessionFiles.close());
  const followers = [
    settings.follow({ ...followed, gateway, events, note }),
    countWarnings(metrics, followed),
    notifyPerson({ ...followed, folder, env }),
    moneyMetrics(metrics, followed),
    forgetOld({ ...followed, client: direct, folder, isHeld }),
  ];
  undo.push(...followers.map((follower) => () => follower.abort()));

  return { client: reads, sessions, ...endingOf({ ...ends, acting, client: direct, namespace, undo }) };
}

/** @throws UserError when what was started where the workspace was could not be ended */
async function endAtFormer(former: string, { folder, note }: OperatorOptions, clock: Clock): Promise<void> {
  const other = path.dirname(path.dirname(former));
  note(`This workspace was in ${other} before. What still runs for it there is ended, and goes on here.`);
  const left = await endFormer(folder, { former, clock });
  if (left.length === 0) return;
  throw new UserError(`${left.join(", ")} still works for ${other}. End it, then run this again.`);
}

/** Starts the model that answers, or finds the way to it. */
function upstreamFor(
  { folder, env, rehearse, scenarios, pace = 1 }: OperatorOptions,
  undo: Start["undo"],
): Promise<ChosenUpstream> {
  const opening = rehearse
    ? rehearsalUpstream({ folder: folder.operator, scenarios, pace })
    : (async () => realUpstream(env))();
  // One that is still being opened is waited for, or nobody would close it.
  undo.push(async () => (await opening.catch(() => undefined))?.close());
  return opening;
}

/** `work`, begun by the first call; the others share what comes of it. */
function onceOnly<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => {
    begun ??= work();
    return begun;
  };
}
