/** The world that controllers act on: git, checks, money and sessions of one workspace. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { WorkspaceSpec } from "../../../pkg/api/generated.ts";
import { type GatewayHandle, openGateway } from "../../../pkg/gateway/money-client.ts";
import {
  type PreparedGateway,
  type ProcessPlace,
  prepareGateway,
} from "../../../pkg/gateway/start-process.ts";
import { openCommitSource } from "../../../pkg/git/commit-source.ts";
import { gitBy } from "../../../pkg/git/git.ts";
import { openRepository } from "../../../pkg/git/open.ts";
import type { KeepsWork, Repository } from "../../../pkg/git/repository.ts";
import { fillCheckout, type Include } from "../../../pkg/quality/include.ts";
import { openQuality } from "../../../pkg/quality/open.ts";
import type { Quality } from "../../../pkg/quality/quality.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Failpoint, Failpoints } from "../../../pkg/runtime/failpoints.ts";
import type { SandboxAvailability } from "../../../pkg/sandbox/available.ts";
import { workspacePlaces } from "../../../pkg/sandbox/places.ts";
import { openSessions } from "../../../pkg/session/manager.ts";
import type { Sessions } from "../../../pkg/session/sessions.ts";
import { tellingDiskFull } from "../../../pkg/storage/disk-full.ts";
import { isEngaged } from "../../../pkg/system/latch-files.ts";
import type { LatchWatch } from "../../../pkg/system/latch-watch.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import { systemIds } from "../../../pkg/system/system.ts";
import { ledgerDirectory, type WorkspaceFolder } from "../workspace-folder.ts";
import { allEnded } from "./all-ended.ts";
import { carryTotals } from "./carry-totals.ts";
import type { StopFollower } from "./follow-stop.ts";
import type { Start } from "./start.ts";
import type { ChosenUpstream } from "./upstream.ts";
import { whileHeld } from "./while-held.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";

export interface World {
  repository: Repository & KeepsWork;
  quality: Quality;
  gateway: GatewayHandle;
  sessions: Sessions;
}

export interface WorldOptions {
  folder: WorkspaceFolder;
  rehearse: boolean;
  /** The lock's: what is older is refused where it arrives. */
  term: number;
  settings: WorkspaceSettings;
  /** The folder of checkouts, quarantine and totals, outside of the repository. */
  state: string;
  /** Asked by what needs it, which is money alone. */
  openUpstream(): Promise<ChosenUpstream>;
  preparedGateway: PreparedGateway | undefined;
  sandbox: SandboxAvailability;
  clock: Clock;
  failpoints: Failpoints;
  latchWatch: LatchWatch;
  /** Told, in a sentence, once a gateway that died or hung was replaced. */
  onGatewayReplaced(message: string): void;
  stop: StopFollower;
  undo: Start["undo"];
}

/** Opens git with the checks, and beside it money, then sessions, which spend it. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { folder, settings, state, sandbox } = options;
  const { spec } = settings;
  const repositoryPath = path.resolve(folder.repository, spec.repository.path);
  const boxed = sandbox.available && spec.sandbox === "Required";
  const places = workspacePlaces({ repositoryPath, stateDirectory: state, controlPlane: folder.path });
  const within = { ...options, repositoryPath, boxed, places };
  const git = openGit(within);
  const money = openMoney(options);
  const [{ repository, quality }, gateway, sessions] = await allEnded(
    git,
    money,
    money.then((gateway) => openHosts(within, gateway)),
    // Not before there is a gateway: it ends them at a stop should this process hang.
    Promise.all([git, money]).then(([opened]) => checkTarget(opened, spec)),
  );
  return {
    repository: tellingDiskFull(repository, state),
    quality: tellingDiskFull(quality, state),
    gateway,
    sessions,
  };
}

/** `world`, in which nothing begins once `assertHeld` throws. */
export function guarded({ repository, quality, gateway, sessions }: World, assertHeld: () => void): World {
  return {
    repository: whileHeld(repository, assertHeld),
    quality: whileHeld(quality, assertHeld),
    gateway: whileHeld(gateway, assertHeld),
    sessions: whileHeld(sessions, assertHeld),
  };
}

interface Places {
  repositoryPath: string;
  /** Whether what executes content of a branch runs in the sandbox. */
  boxed: boolean;
  places: ReturnType<typeof workspacePlaces>;
}

async function openGit({
  rehearse,
  term,
  settings,
  state,
  clock,
  failpoints,
  stop,
  undo,
  repositoryPath,
  boxed,
  places,
}: WorldOptions & Places): Promise<Pick<World, "repository" | "quality">> {
  const { spec } = settings;
  const ending = new AbortController();
  undo.push(() => gitBy().end());
  undo.push(() => ending.abort());
  const source = await openCommitSource({ repositoryPath, stateDirectory: state });
  const include = (): Include => ({
    from: repositoryPath,
    patterns: settings.spec.checkout.include ?? [],
    ignored: source.ignored,
  });
  const [repository, quality] = await allEnded(
    openRepository({
      repositoryPath,
      stateDirectory: state,
      targetBranch: spec.repository.targetBranch,
      mode: rehearse ? "rehearsal" : "real",
      clock,
      term,
      fill: (checkout) => fillCheckout(include(), checkout),
      sandbox: boxed ? "bubblewrap" : "off",
      failpoints: { hit: (name) => failpoints.hit(name as Failpoint) },
    }),
    openQuality({
      source,
      stateDirectory: state,
      sandbox: boxed ? places : undefined,
      setupNetwork: () => settings.spec.setupNetwork === "Host",
      include,
      clock,
      signal: ending.signal,
      stop,
    }),
  );
  return { repository, quality };
}

/**
 * Begins the checks of the target, without which no agent begins: a controller asks for them once all else is open, and
 * finds them under way.
 */
function checkTarget(
  { repository, quality }: Pick<World, "repository" | "quality">,
  { mode, commands }: WorkspaceSpec,
): void {
  if (mode === "Stopped") return;
  const begin = async (): Promise<void> => {
    const target = await repository.target();
    if (target.is === "present") await quality.checks(target.value, commands);
  };
  begin().catch(() => undefined); // Whoever asks for them is told what keeps them from running.
}

async function openHosts(
  { folder, places, boxed, clock, failpoints, undo }: WorldOptions & Places,
  gateway: GatewayHandle,
): Promise<Sessions> {
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
  return sessions;
}

async function openMoney({
  folder,
  rehearse,
  term,
  settings,
  state,
  openUpstream,
  preparedGateway,
  latchWatch,
  onGatewayReplaced,
  clock,
  undo,
}: WorldOptions): Promise<GatewayHandle> {
  const stateDirectory = path.join(state, rehearse ? "rehearsal-gateway" : "gateway");
  linkGateway(folder, stateDirectory);
  // A rehearsal is begun anew by moving `.bosun` away, and its money is played.
  if (!rehearse) carryTotals(folder, state, clock.now());
  const upstream = await openUpstream();
  const gateway = await openGateway(
    {
      ...gatewayPlace(folder, rehearse),
      stateDirectory,
      socketPath: gatewaySocket(folder),
      upstream: upstream.config,
      term,
      admitted: settings.spec.gateway.admit ?? [],
    },
    { clock, latch: latchWatch, prepared: preparedGateway, onReplaced: onGatewayReplaced },
  );
  undo.push(() => gateway.close());
  return gateway;
}

/** A gateway to be, before the Workspace is known. Undefined where one may run already, and while none may. */
export function gatewayToBe(folder: WorkspaceFolder, rehearse: boolean): PreparedGateway | undefined {
  if (existsSync(gatewaySocket(folder)) || isEngaged(folder.stopLatch)) return undefined;
  return prepareGateway(gatewayPlace(folder, rehearse));
}

function gatewayPlace(folder: WorkspaceFolder, rehearse: boolean): ProcessPlace {
  return { ledgerDirectory: ledgerDirectory(folder, rehearse), stopLatch: folder.stopLatch };
}

function gatewaySocket(folder: WorkspaceFolder): string {
  return socketPath(path.join(folder.operator, "gateway.sock"));
}

/** Lets commands that need no operator (stop, settle) find the gateway from the workspace's own folder. */
function linkGateway({ operator }: WorkspaceFolder, state: string): void {
  const link = path.join(operator, "gateway");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  rmSync(link, { force: true });
  symlinkSync(state, link);
}
