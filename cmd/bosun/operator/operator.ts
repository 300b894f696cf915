/** The operator put together: everything real is made here and handed to what only knows interfaces. */
import { appendFileSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { tellBudgets } from "../../../controllers/budget/tell.ts";
import { allControllers } from "../../../controllers/controllers.ts";
import type { Workspace } from "../../../pkg/api/generated.ts";
import { admin } from "../../../pkg/apiserver/auth/user.ts";
import { type Api, createApi } from "../../../pkg/apiserver/server.ts";
import { type GatewayHandle, openGateway } from "../../../pkg/gateway/money-client.ts";
import { openCommitSource } from "../../../pkg/git/commit-source.ts";
import { openRepository } from "../../../pkg/git/open.ts";
import type { KeepsWork, Repository } from "../../../pkg/git/repository.ts";
import { loadPrompts } from "../../../pkg/prompts/load.ts";
import { fillCheckout, type Include } from "../../../pkg/quality/include.ts";
import { openQuality } from "../../../pkg/quality/open.ts";
import type { Quality } from "../../../pkg/quality/quality.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { eventRecorder } from "../../../pkg/runtime/events.ts";
import type { Failpoint, Failpoints } from "../../../pkg/runtime/failpoints.ts";
import { jsonLogger, type Logger } from "../../../pkg/runtime/logger.ts";
import { Manager } from "../../../pkg/runtime/manager.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { type SandboxAvailability, sandboxAvailable } from "../../../pkg/sandbox/available.ts";
import { workspacePlaces } from "../../../pkg/sandbox/places.ts";
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import { openSessions } from "../../../pkg/session/manager.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { tellingDiskFull } from "../../../pkg/storage/disk-full.ts";
import { openLog } from "../../../pkg/storage/log/log.ts";
import { meteredStorage } from "../../../pkg/storage/metered.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import type { StoredState } from "../../../pkg/storage/storage.ts";
import { systemFailpoints } from "../../../pkg/system/failpoint.ts";
import { http } from "../../../pkg/system/http.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { processMetrics } from "../../../pkg/system/process-metrics.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import { systemClock, systemDefer, systemIds, systemRandom } from "../../../pkg/system/system.ts";
import { refreshSchemaCopy } from "../editor/schema-copy.ts";
import { clusterOf } from "../operator-client/chosen-cluster.ts";
import type { Reader } from "../operator-client/socket-client.ts";
import { listenAtKeptPort } from "../serving/listen.ts";
import { serve } from "../serving/serve.ts";
import { keepSessions } from "../stop/keep-work.ts";
import { answerNotice } from "../stop/stop-notice.ts";
import { UserError } from "../user-error.ts";
import { FILE_NAMESPACE, type WorkspaceFolder } from "../workspace-folder.ts";
import { keepActing, type Right } from "./acting.ts";
import { allEnded } from "./all-ended.ts";
import type { ClusterOptions } from "./cluster.ts";
import { ownDefinitions } from "./definitions.ts";
import { pruneEvents } from "./events.ts";
import { followStop, type StopFollower } from "./follow-stop.ts";
import { type Lock, takeLock } from "./lock.ts";
import { moneyMetrics } from "./money-metrics.ts";
import { notifyPerson } from "./notify.ts";
import { openFiles } from "./people-files.ts";
import { writeSessionFiles } from "./session-files.ts";
import { stateDirectory, stateOf } from "./state-directory.ts";
import { type ChosenUpstream, realUpstream, rehearsalUpstream } from "./upstream.ts";
import { countWarnings } from "./warning-metrics.ts";
import { whileHeld } from "./while-held.ts";
import { type WorkspaceSettings, workspaceSettings } from "./workspace-settings.ts";

export interface OperatorOptions {
  folder: WorkspaceFolder;
  env: Readonly<Record<string, string | undefined>>;
  rehearse: boolean;
  /** Absent: where the folder was last worked for, its own YAML unless it was moved into a cluster. */
  cluster?: ClusterOptions;
  /** Ends a start that waits for another operator to end. */
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

export interface Operator {
  /** Reads from the controllers' caches. */
  client: Reader;
  sessions: Sessions;
  /** Lets the sessions end their running turn and saves, then ends everything. Resolves when nothing runs. */
  drain(): Promise<void>;
  /** Ends every session now; their work is kept. Resolves when nothing runs. */
  stop(): Promise<void>;
}

/** How often draining looks whether sessions still run, in milliseconds. */
const drainLookMs = 100;

/**
 * Starts the operator of a workspace.
 *
 * @throws UserError when another one runs, the workspace can't be used, or a condition of the upstream does not hold
 */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { folder, env, note } = options;
  const clock = systemClock;
  await nodeFileSystem.makeDirectory(folder.operator, 0o700);
  refreshSchemaCopy(folder);
  const logger = jsonLogger((line) => writeLogLine(path.join(folder.operator, "operator.log"), line), clock);
  const failpoints = systemFailpoints(env.BOSUN_FAILPOINT);

  const undo: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const ending = new AbortController();
  undo.push(() => ending.abort());
  const stop = followStop(folder.stopLatch, clock, ending.signal);
  const sandboxFound = sandboxAvailable(clock);
  sandboxFound.catch(() => undefined); // Told where it is awaited.
  const startUpstream = onceOnly(() => upstreamFor(options, undo));
  try {
    const parts = { clock, logger, undo, onHeld: () => void startUpstream().catch(() => undefined) };
    const plane = await openControlPlane(options, parts, stop.look);
    const { client, namespace, lock, metrics } = plane;
    const workspace = await requireWorkspace(client, namespace, folder);
    refuseToSwitch(workspace, options.rehearse);
    const sandbox = chooseSandbox(await sandboxFound, workspace, options.rehearse, note);
    const state = stateDirectory(env, stateOf(folder) ?? workspace.metadata.uid ?? "");
    const upstream = await startUpstream();
    const settings = workspaceSettings(workspace);
    const around = { settings, state, upstream, sandbox, clock, failpoints, stop, undo };
    const [real] = await allEnded(openWorld(options, around, lock.term), plane.begin(workspace));
    const world = guarded(real, () => plane.assertHeld());
    // What controllers do has to be decided on what is so now; watching and ending what runs here has not.
    const acted = guarded(real, () => plane.assertMayAct());

    const keepWork = async (): Promise<void> => {
      const { commits } = settings.spec;
      const { repository, sessions } = world;
      const isGone = async (id: string) => (await sessions.find(id)).is === "absent";
      const { problems } = await keepSessions({ sessions: folder.sessions, repository, commits, isGone });
      for (const problem of problems) logger.warn("Work is kept in its checkout alone", { problem });
    };
    const keepStopped = (): void => {
      endSessions(world.sessions, () => "Now", clock)
        .then(keepWork)
        .catch((error: unknown) => logger.warn("Work is kept in its checkouts alone", { error }));
    };
    stop.follow(keepStopped, () => undefined);
    if (stop.inForce()) keepStopped();

    const newManager = (): Manager =>
      new Manager({
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
            sessions: acted.sessions,
            repository: acted.repository,
            quality: acted.quality,
            money: acted.gateway,
            prompts: loadPrompts(path.join(packageRoot(), "prompts")),
            latch: fileStopLatch(folder.stopLatch, { clock }),
            upstream: upstream.kind,
            sandbox: sandbox.available ? workspace.spec.sandbox : "Off",
          }),
      });
    const acting = await keepActing(newManager, { right: plane.right, logger });
    const seen: Reader = {
      namespace,
      ...acting.reads,
    };
    const followed = { client: { ...client, ...seen }, namespace, clock, logger };
    const following = writeSessionFiles({
      ...followed,
      sessions: world.sessions,
      money: world.gateway,
      folder: folder.path,
      isHeld: () => lock.isHeld(),
    });
    undo.push(() => following.abort());
    const events = eventRecorder({ client, clock, ids: systemIds, logger, component: "bosun" });
    const heeding = settings.follow({ ...followed, gateway: world.gateway, events, note });
    undo.push(() => heeding.abort());
    const counting = countWarnings(metrics, followed);
    undo.push(() => counting.abort());
    const notifying = notifyPerson({ ...followed, folder, env });
    undo.push(() => notifying.abort());
    const metering = moneyMetrics(metrics, followed);
    undo.push(() => metering.abort());

    let how: "AfterTurn" | "Now" = "AfterTurn";
    let ending: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      // First the controllers: nothing is claimed or started any more.
      await acting.stop();
      await endSessions(world.sessions, () => how, clock);
      // Who is in a hurry has it in the checkouts.
      if (how === "AfterTurn")
        await keepWork().catch((error: unknown) =>
          logger.warn("Work is kept in its checkouts alone", { error }),
        );
      // What was merged at the last moment is seen on the branch that follows.
      await world.repository
        .syncTarget()
        .catch((error: unknown) => logger.warn("The target's branch could not follow", { error }));
      // Then the last word on money: what was spent since a Budget was last told is in no status yet.
      await tellBudgets({ client, money: world.gateway, namespace }).catch((error: unknown) =>
        logger.warn("Budgets could not be told what was spent", { error }),
      );
      await world.gateway.stop();
      await close();
    };
    const drain = (): Promise<void> => {
      ending ??= end();
      return ending;
    };
    const stopNow = (): Promise<void> => {
      how = "Now";
      return drain();
    };
    return { client: seen, sessions: world.sessions, drain, stop: stopNow };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A full disk must not end what goes on well without the line. */
function writeLogLine(file: string, line: string): void {
  try {
    appendFileSync(file, line, { mode: 0o600 });
  } catch {
    // Nowhere to tell it: the terminal and the objects' conditions tell what a person has to know.
  }
}

export interface Parts {
  clock: Clock;
  logger: Logger;
  undo: (() => void | Promise<void>)[];
  /** Called when the folder is this operator's: time for what takes long and asks no object. */
  onHeld?(): void;
}

/** Starts the model that answers, or finds the way to it. */
function upstreamFor(
  { folder, env, rehearse, scenarios, pace = 1 }: OperatorOptions,
  undo: Parts["undo"],
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

/** Where what is declared and observed is kept. */
interface ControlPlane {
  client: Client;
  /** Of the workspace. */
  namespace: string;
  lock: Lock;
  /** What `/metrics` shows. */
  metrics: Metrics;
  /** Throws when the folder is another operator's now. */
  assertHeld(): void;
  /** Throws when this operator may not act on what it knows of the objects. */
  assertMayAct(): void;
  /** Absent: nobody can take it away but by the lock, and that ends the process. */
  right?: Right;
  /** What runs once the workspace is known to be one that this operator can work on. */
  begin(workspace: Workspace): Promise<void>;
}

/** @param heedStop - called when somebody tells of an emergency stop */
async function openControlPlane(
  options: OperatorOptions,
  parts: Parts,
  heedStop: () => void,
): Promise<ControlPlane> {
  const { clock, logger, undo } = parts;
  const cluster = options.cluster ?? clusterOf(options.folder);
  if (cluster !== undefined) {
    // Loaded here alone: file mode must run without it.
    const { openCluster } = await import("./cluster.ts");
    const opened = await openCluster({ ...options, cluster, heedStop }, parts);
    // A cluster lets its Events expire by itself, and is reached by its own kubeconfig.
    return { ...opened, begin: async () => {} };
  }
  const { client, api, lock, metrics } = await openRegistry(options, parts, heedStop);
  return {
    client,
    namespace: FILE_NAMESPACE,
    lock,
    metrics,
    assertHeld: () => assertHeld(lock, options),
    // Whoever has the folder has the objects: they lie in it.
    assertMayAct: () => assertHeld(lock, options),
    async begin({ metadata }) {
      await serveKubernetes(api, metadata.name, options, parts);
      const pruning = pruneEvents(client, clock, logger);
      undo.push(() => pruning.abort());
    },
  };
}

/**
 * Lock, log, registry and people's files, in this order: nobody reads a log that another may write.
 *
 * @param heedStop - called when somebody tells of an emergency stop
 */
export async function openRegistry(
  { folder, note, onFatal }: Pick<OperatorOptions, "folder" | "note" | "onFatal">,
  { clock, logger, undo, onHeld }: Parts,
  heedStop: () => void,
): Promise<{ client: Client; api: Api; lock: Lock; metrics: Metrics }> {
  // The socket is the lock, so it listens before there is anything to serve: early callers wait.
  const served = Promise.withResolvers<Api>();
  const server = http.createServer((request, response) => {
    if (answerNotice(request, response, heedStop)) return;
    void served.promise.then((api) => api.listener(() => admin)(request, response));
  });
  const lock = await takeLock(
    { folder: folder.operator, socket: path.basename(folder.socket), server, clock },
    () => onFatal(takenOver()),
  );
  undo.push(() => lock.release());
  onHeld?.();

  const log = openLog({ directory: folder.log, fs: nodeFileSystem });
  let stored: StoredState = { revision: 0, objects: [], files: [] };
  const metrics = new Metrics();
  processMetrics(metrics);
  const storage = meteredStorage(log, metrics, clock);
  const registry = await Registry.open({
    storage: {
      open: async () => {
        stored = await storage.open();
        return stored;
      },
      commit: (transaction) => storage.commit(transaction),
      close: () => storage.close(),
    },
    crds: ownDefinitions(),
    clock,
    ids: systemIds,
    random: systemRandom,
    defer: systemDefer,
    onFatal,
  });
  undo.push(() => log.close());
  const api = createApi({
    registry,
    metrics,
    onError: (error) => logger.error("A request failed", { error }),
  });
  served.resolve(api);
  undo.push(() => api.drain());

  // Whatever people keep in other namespaces is none of Bosun's business.
  const client = registryClient(registry, "bosun", { namespace: FILE_NAMESPACE });
  const events = eventRecorder({ client, clock, ids: systemIds, logger, component: "bosun-files" });
  const files = await openFiles({ folder, registry, client, stored, clock, logger, events, note });
  undo.push(() => files.close());
  return { client, api, lock, metrics };
}

/** Ends an operator that finds out that it is none any more. */
function assertHeld(lock: Lock, { onFatal }: OperatorOptions): void {
  if (lock.isHeld()) return;
  const error = takenOver();
  onFatal(error);
  throw error;
}

function takenOver(): UserError {
  return new UserError(
    "Another operator has taken over this workspace, as happens when one was suspended. This one ends, and has changed " +
      "nothing since. `bosun status` shows what the other does.",
  );
}

/** The same API for kubectl and any other client of Kubernetes, at a port of this workspace's own. */
async function serveKubernetes(
  api: Api,
  name: string,
  { folder, note }: OperatorOptions,
  { clock, logger, undo }: Parts,
): Promise<void> {
  const host = "127.0.0.1";
  const serving = await serve({
    api,
    folder: folder.serving,
    host,
    listen: (server) => listenAtKeptPort(server, { host, file: folder.port, seed: folder.path }),
    name,
    kubeconfig: folder.kubeconfig,
    clock,
    onError: (error) => logger.warn("A certificate could not be renewed", { error }),
  });
  undo.push(() => serving.close());
  note(
    `kubectl works here at ${serving.url}: \`bosun kubectl get projects\`, or \`eval "$(bosun env)"\` once.`,
  );
}

async function requireWorkspace(
  client: Client,
  namespace: string,
  folder: WorkspaceFolder,
): Promise<Workspace> {
  const { items } = await client.list("Workspace", { namespace });
  const [workspace] = items;
  if (workspace !== undefined) return workspace;
  throw new UserError(`There is no Workspace in ${folder.path}. \`bosun init\` writes one.`);
}

/** A workspace is rehearsing or real: numbers, reviews and merges of the one mean nothing to the other. */
function refuseToSwitch(workspace: Workspace, rehearse: boolean): void {
  const before = workspace.status?.upstream;
  const wanted = rehearse ? "Rehearsal" : "Real";
  if (before === undefined || before === wanted) return;
  throw new UserError(
    rehearse
      ? "This workspace works with the real model; a rehearsal would mix played work into it. Rehearse in a clone of the repository."
      : "This workspace has been rehearsing: its Projects carry played work. To begin for real, end the rehearsal by moving .claude-sessions/.bosun away, then start again.",
  );
}

function chooseSandbox(
  sandbox: SandboxAvailability,
  workspace: Workspace,
  rehearse: boolean,
  note: (line: string) => void,
): SandboxAvailability {
  if (sandbox.available || workspace.spec.sandbox === "Off") return sandbox;
  if (!rehearse)
    throw new UserError(
      `There is no sandbox here, and agents would run with your files and your network. ${sandbox.why} ${sandbox.fix} Or set \`sandbox: Off\` in the Workspace.`,
    );
  note(`No sandbox: ${sandbox.why} This rehearsal runs its scripted commands without one. ${sandbox.fix}`);
  return sandbox;
}

interface Surroundings {
  settings: WorkspaceSettings;
  state: string;
  upstream: ChosenUpstream;
  sandbox: SandboxAvailability;
  clock: Clock;
  failpoints: Failpoints;
  stop: StopFollower;
  undo: (() => void | Promise<void>)[];
}

async function openWorld(
  { folder, rehearse }: OperatorOptions,
  around: Surroundings,
  term: number,
): Promise<World> {
  const { settings, state, upstream, sandbox, clock, failpoints, stop, undo } = around;
  const { spec } = settings;
  const repositoryPath = path.resolve(folder.repository, spec.repository.path);
  const boxed = sandbox.available && spec.sandbox === "Required";
  const places = workspacePlaces({ repositoryPath, stateDirectory: state, controlPlane: folder.path });
  const gatewayState = path.join(state, rehearse ? "rehearsal-gateway" : "gateway");
  linkGateway(folder, gatewayState);
  const openMoney = async (): Promise<GatewayHandle> => {
    const gateway = await openGateway(
      {
        ledgerDirectory: path.join(folder.operator, rehearse ? "rehearsal-ledger" : "ledger"),
        stateDirectory: gatewayState,
        socketPath: socketPath(path.join(folder.operator, "gateway.sock")),
        upstream: upstream.config,
        term,
        admitted: spec.gateway.admit ?? [],
        stopLatch: folder.stopLatch,
      },
      { clock },
    );
    undo.push(() => gateway.close());
    return gateway;
  };
  const ending = new AbortController();
  undo.push(() => ending.abort());
  const openGit = async (): Promise<Pick<World, "repository" | "quality">> => {
    const source = await openCommitSource({ repositoryPath, stateDirectory: state });
    const include = (): Include => ({
      from: repositoryPath,
      patterns: settings.spec.checkout.include ?? [],
      ignored: source.ignored,
    });
    const repository = await openRepository({
      repositoryPath,
      stateDirectory: state,
      targetBranch: spec.repository.targetBranch,
      mode: rehearse ? "rehearsal" : "real",
      clock,
      term,
      fill: (checkout) => fillCheckout(include(), checkout),
      sandbox: boxed ? "bubblewrap" : "off",
      failpoints: { hit: (name) => failpoints.hit(name as Failpoint) },
    });
    const quality = await openQuality({
      source,
      stateDirectory: state,
      sandbox: boxed ? places : undefined,
      setupNetwork: () => settings.spec.setupNetwork === "Host",
      include,
      clock,
      signal: ending.signal,
      stop,
    });
    return { repository, quality };
  };
  const [{ repository, quality }, gateway] = await allEnded(openGit(), openMoney());
  const sessions = await openSessions({
    directory: folder.sessions,
    sessionFilesDirectory: folder.path,
    stopLatch: folder.stopLatch,
    places,
    sandboxed: boxed,
    money: gateway,
    clock,
    ids: systemIds,
    failpoints,
    spares: true,
  });
  undo.push(() => sessions.close());
  return {
    repository: tellingDiskFull(repository, state),
    quality: tellingDiskFull(quality, state),
    gateway,
    sessions,
  };
}

interface World {
  repository: Repository & KeepsWork;
  quality: Quality;
  gateway: GatewayHandle;
  sessions: Sessions;
}

/** `world`, in which nothing begins once `assertHeld` throws. */
function guarded({ repository, quality, gateway, sessions }: World, assertHeld: () => void): World {
  return {
    repository: whileHeld(repository, assertHeld),
    quality: whileHeld(quality, assertHeld),
    gateway: whileHeld(gateway, assertHeld),
    sessions: whileHeld(sessions, assertHeld),
  };
}

/** Lets commands that need no operator (stop, settle) find the gateway from the workspace's own folder. */
function linkGateway({ operator }: WorkspaceFolder, state: string): void {
  const link = path.join(operator, "gateway");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  rmSync(link, { force: true });
  symlinkSync(state, link);
}

/** Asks or ends every session, and waits until none is left; a second Ctrl-C may change `how` meanwhile. */
async function endSessions(sessions: Sessions, how: () => "AfterTurn" | "Now", clock: Clock): Promise<void> {
  for (;;) {
    const running = await sessions.running();
    if (running.length === 0) return;
    await Promise.all(running.map(({ id }) => sessions.stop(id, how())));
    await clock.sleep(drainLookMs);
  }
}
