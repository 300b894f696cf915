import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync } from "node:fs";
import type { Money } from "../gateway/money.ts";
import type { Clock, Ids } from "../runtime/clock.ts";
import { TransientError } from "../runtime/errors.ts";
import { type Failpoints, noFailpoints } from "../runtime/failpoints.ts";
import { sandboxAvailable } from "../sandbox/available.ts";
import { type PidNamespace, pidNamespaceAvailable } from "../sandbox/pid-namespace.ts";
import { readIfPresent } from "../storage/blocking-files.ts";
import { asDiskFull } from "../storage/disk-full.ts";
import { type DiskRoom, roomIn } from "../system/disk-room.ts";
import { entryPath } from "../system/entry.ts";
import { isEngaged, stopIsUnsettled } from "../system/latch-files.ts";
import { workspaceMark } from "../system/workspace-mark.ts";
import type { Handover } from "./await-session.ts";
import { hostProcess } from "./host-command.ts";
import { type HostState, Hosts } from "./hosts.ts";
import { endOfLog } from "./last-words.ts";
import { Pulses } from "./pulse.ts";
import { SandboxTrial } from "./sandbox-trial.ts";
import { agentOf, type HostFile, type SessionFolder, sessionFolder } from "./session-folder.ts";
import { repeat, SessionNews } from "./session-news.ts";
import type { RunningSession, SessionObservation, SessionReport, SessionSpec, Sessions } from "./sessions.ts";
import { removeUnused, SpareHosts } from "./spare-hosts.ts";

export interface SessionsOptions {
  /** Where the sessions' folders are: `.claude-sessions/.bosun/sessions`. */
  directory: string;
  /** Where the `agent-<id>.session` files are: `.claude-sessions`. */
  sessionFilesDirectory: string;
  /** While this file exists no host lives and none is started: `.claude-sessions/.bosun/stop`. */
  stopLatch: string;
  /** What tools must not see, and what they see again; see `workspacePlaces`. */
  places: { hide: readonly string[]; readOnly: readonly string[] };
  /** False: tools run without a sandbox whatever a spec says, for a rehearsal where none can be had. */
  sandboxed?: boolean;
  money: Pick<Money, "admit" | "dismiss">;
  clock: Clock;
  ids: Ids;
  /** A host's command; the folder of its session is added. This package's own when left out. */
  hostCommand?: readonly string[];
  /** `Marker` does without process id namespaces where there are some, as other platforms have to. */
  containment?: "Best" | "Marker";
  /** Keep a host ready for the next session; see `SpareHosts`. */
  spares?: boolean;
  /** How much the disk of a folder still takes. The real one when left out. */
  roomIn?(folder: string): DiskRoom;
  failpoints?: Failpoints;
}

/** A host may have died of a disk that takes less than this, in bytes: others write to it too. */
const fullBytes = 1_000_000;

/** A host makes itself known within this, in milliseconds; a cold start of Node takes about 300. */
const startLimitMs = 20_000;
/** A host that has reported its outcome ends by itself within this, in milliseconds. */
const exitLimitMs = 2_000;
/** How often is looked for what is waited for, in milliseconds. */
const lookPeriodMs = 10;
/** File events get lost: how often everything is looked at anyway, in milliseconds. */
const pollPeriodMs = 5_000;

/**
 * Opens the sessions of a workspace. Hosts that an earlier operator started are found again by pid and start time
 * and go on; trees whose host is gone are ended.
 *
 * @throws TransientError when such a tree can't be proven gone
 */
export async function openSessions(options: SessionsOptions): Promise<OwnedSessions> {
  mkdirSync(options.directory, { recursive: true });
  const namespaces = options.containment === "Marker" ? undefined : await pidNamespaceAvailable();
  const manager = new Manager(options, namespaces);
  await manager.reapLeftovers();
  manager.prepare();
  return manager;
}

export interface OwnedSessions extends Sessions {
  /** Ends what waits for a session, and what is left of those that have ended. Sessions go on. */
  close(): Promise<void>;
}

class Manager implements OwnedSessions {
  readonly #options: SessionsOptions;
  readonly #namespaces: PidNamespace;
  readonly #news: SessionNews;
  readonly #hosts: Hosts;
  readonly #pulses = new Pulses();
  /** Sessions whose last host was gone when this manager began. */
  readonly #unwitnessed = new Set<string>();
  /** Sessions that had no host when last seen: nothing changes in them until this manager starts one. */
  readonly #over = new Set<string>();
  /** The last start or end of each session, for the next to wait for: an end must not meet a newer host. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Sessions to be stopped now: a start under way gives up. */
  readonly #stopping = new Set<string>();
  /** Attempts that this manager starts just now: nobody has to look for their processes to know that. */
  readonly #starting = new Set<string>();
  /** Sessions of which the gateway may let another host spend than the one they have: it is told until it has heard. */
  readonly #misled = new Set<string>();
  readonly #spares: SpareHosts | undefined;
  readonly #sandbox: SandboxTrial;

  constructor(options: SessionsOptions, namespaces: PidNamespace) {
    this.#options = options;
    this.#namespaces = namespaces;
    const { directory, stopLatch, clock, ids } = options;
    // Where sessions run: what is allowed here may not be in a namespace.
    this.#sandbox = new SandboxTrial(() => sandboxAvailable(clock, namespaces), clock);
    const folderOf = (id: string): SessionFolder => this.#folder(id);
    this.#hosts = new Hosts({ folderOf, clock });
    this.#news = new SessionNews({
      ...{ directory, clock, folderOf, periodMs: pollPeriodMs },
      ids: () => this.#ids(),
      living: () => this.#living(),
      find: (id) => this.find(id),
      tend: (id) => this.#reap(id),
    });
    const spawn = (session: string, folder: SessionFolder): ChildProcess =>
      this.#startProcess({ session }, folder, [stopLatch]);
    if (options.spares === true) this.#spares = new SpareHosts({ directory, spawn, clock, ids });
  }

  prepare(): void {
    if (this.#spares === undefined) return;
    // Nothing runs while everything is stopped, a trial neither.
    if (isEngaged(this.#options.stopLatch)) return;
    this.#spares.prepare();
    if (this.#options.sandboxed !== false) this.#sandbox.result().catch(() => undefined); // Told where it is awaited.
  }

  spareId(): string | undefined {
    return this.#spares?.offer();
  }

  expect(id: string): void {
    // Whoever ends what an earlier host has left would take the new one for a part of that.
    if (this.#folder(id).readHost() === undefined) this.#spares?.prepareFor(id);
  }

  async close(): Promise<void> {
    await this.#spares?.close();
    // What is still there of a host that has ended would else be nobody's to wait for.
    await Promise.all(this.#living().map((id) => this.#reap(id)));
  }

  async find(id: string): Promise<SessionObservation> {
    try {
      const folder = this.#folder(id);
      // The report is read after the host was seen gone, or its last one could be missed.
      const host = folder.readHost();
      // Said in the same turn as it is read, or a start in between would be forgotten.
      if (host === undefined) this.#over.add(id);
      const isStarting = host?.state === "starting" && this.#starting.has(host.attempt);
      const seen = isStarting ? "starting" : await this.#hosts.lookAt(id, host);
      const report = folder.readReport();
      if (seen === "gone") {
        this.#pulses.forget(id);
        return {
          is: "absent",
          report,
          ...(this.#unwitnessed.has(id) || this.#isDiskFull() ? { unwitnessed: true } : {}),
          ...(this.#wasOrdered(folder) ? { ordered: true } : {}),
        };
      }
      if (seen === "ending" || host?.state !== "running")
        return { is: "unknown", why: `The host of ${id} is ${seen}.` };
      if (report === undefined) return { is: "unknown", why: `The host of ${id} has no report.` };
      const beat = `${host.attempt} ${report.heartbeatMs}`;
      const pulse = this.#pulses.see(id, beat, this.#options.clock.elapsed());
      return { is: "present", report, pid: host.outermost.pid, startedAtMs: host.startedAtMs, pulse };
    } catch (error) {
      return { is: "unknown", why: messageOf(error) };
    }
  }

  start(spec: SessionSpec): Promise<SessionObservation> {
    return this.#inTurn(spec.id, async () => {
      await this.#start(spec).catch((error: unknown) => {
        throw asDiskFull(error, this.#options.directory);
      });
      const seen = await this.find(spec.id);
      this.#news.isKnown(spec.id, seen);
      return seen;
    });
  }

  async stop(id: string, how: "AfterTurn" | "Now" | "Lost"): Promise<void> {
    const folder = this.#folder(id);
    if (how === "AfterTurn") {
      const host = await this.#hostToEnd(id, folder, how);
      if ((await this.#hosts.lookAt(id, host)) !== "gone") folder.writeOrder("AfterTurn");
      return;
    }
    this.#stopping.add(id);
    try {
      await this.#inTurn(id, async () => {
        const host = await this.#hostToEnd(id, folder, how);
        // Before the end, so that nobody who finds it ended takes it for a crash.
        if (how === "Now" && (await this.#hosts.lookAt(id, host)) !== "gone") recordEnd(folder);
        await this.#end(id, folder);
      });
    } finally {
      this.#stopping.delete(id);
    }
    const agent = agentOf(folder);
    if (agent !== undefined) this.#news.wake(agent);
  }

  async running(): Promise<readonly RunningSession[]> {
    const found = await Promise.all(
      this.#living().map(async (id) => {
        const agent = agentOf(this.#folder(id));
        const { host, seen } = await this.#look(id);
        if (seen === "unknown") return [{ id, agent, pid: undefined }];
        return host?.state === "running" && seen === "alive" ? [{ id, agent, pid: host.outermost.pid }] : [];
      }),
    );
    return found.flat();
  }

  /** One that can't be read must not keep anybody from the others: `find` says why. */
  async #look(id: string): Promise<{ host?: HostFile | undefined; seen: HostState | "unknown" }> {
    try {
      const host = this.#folder(id).readHost();
      return { host, seen: await this.#hosts.lookAt(id, host) };
    } catch {
      return { seen: "unknown" };
    }
  }

  subscribe(wake: (agent: string) => void, signal: AbortSignal): void {
    const { clock } = this.#options;
    void repeat(() => this.#renewAccess(), { clock, periodMs: pollPeriodMs, signal });
    this.#news.subscribe(wake, signal);
  }

  async reapLeftovers(): Promise<void> {
    for (const id of this.#ids()) {
      const folder = this.#folder(id);
      const { host, seen } = await this.#look(id);
      if (seen === "unknown") continue;
      if (seen === "alive") {
        // Whoever gave the order died before it was carried out.
        if (folder.readOrder() === "Now") folder.clearOrder();
        continue;
      }
      // A host that waited for its session ends with its operator.
      if (host === undefined) removeUnused(folder);
      // What an earlier manager saw end it has cleared away. The gateway may have been away then.
      if (host !== undefined) this.#unwitnessed.add(id);
      else if (folder.hasAccess()) this.#misled.add(id);
      await this.#endDead(id, folder);
    }
    // Before anything may be spent again.
    await this.#tellMisled();
  }

  async #start(spec: SessionSpec): Promise<void> {
    const { ids } = this.#options;
    const folder = this.#folder(spec.id);
    this.#refuseStopped();
    folder.clearOrder();
    const host = folder.readHost();
    if ((await this.#hosts.lookAt(spec.id, host)) === "alive") {
      if (folder.readReport()?.outcome === undefined && folder.readSpec()?.run === spec.run) return;
      await this.#waitFor(exitLimitMs, async () => (await this.#hosts.lookAt(spec.id, host)) !== "alive");
    }
    await this.#end(spec.id, folder);

    const report = folder.readReport();
    if (report?.run === spec.run && isFinal(report)) return;
    // Where none waits: it starts while all that it is told is written.
    this.expect(spec.id);
    folder.writeSpec(spec);
    const attempt = ids.uuid();
    folder.writeAccess(await this.#admit(spec, attempt));
    const { sessionFilesDirectory, stopLatch, places, sandboxed = true } = this.#options;
    const sandbox = sandboxed && spec.sandbox !== "Off" ? await this.#sandbox.result() : undefined;
    folder.writeLaunch({
      attempt,
      place: this.#hosts.place,
      sessionFilesDirectory,
      stopLatch,
      sandboxed,
      sandbox,
      hide: places.hide,
      extraReadOnly: places.readOnly,
    });
    this.#starting.add(attempt);
    const runs = await this.#begin(spec, attempt, folder).finally(() => this.#starting.delete(attempt));
    if (!runs) {
      await this.#end(spec.id, folder);
      this.#refuseStopped();
      const log = endOfLog(readIfPresent(folder.logPath) ?? "");
      const message = `The host of session ${spec.id} did not start. Its log ends: ${log}`;
      if (this.#isDiskFull()) throw Object.assign(new Error(message), { code: "ENOSPC" });
      throw new TransientError("HostNotStarted", message);
    }
    (this.#options.failpoints ?? noFailpoints).hit("host-started");
    this.#spares?.prepareSoon();
  }

  /** What ends or does not start while it is may have nothing wrong with it. */
  #isDiskFull(): boolean {
    const { directory, roomIn: room = roomIn } = this.#options;
    const { bytes, files } = room(directory);
    return bytes < fullBytes || files === 0;
  }

  /** @returns whether the host has made itself known in time */
  async #begin(spec: SessionSpec, attempt: string, folder: SessionFolder): Promise<boolean> {
    folder.writeHost({ state: "starting", attempt, place: this.#hosts.place });
    this.#over.delete(spec.id);
    this.#unwitnessed.delete(spec.id);
    const child = this.#spawn(spec, attempt, folder);
    const isRunning = (): boolean => {
      const host = folder.readHost();
      return host?.state === "running" && host.attempt === attempt;
    };
    await this.#waitFor(
      startLimitMs,
      async () => child.ended() || this.#stopping.has(spec.id) || isRunning(),
    );
    return isRunning();
  }

  #spawn(spec: SessionSpec, attempt: string, folder: SessionFolder): { ended(): boolean } {
    const spare = this.#spares?.take(spec.id);
    const child = spare ?? this.#startProcess({ session: spec.id, attempt }, folder, []);
    let ended = false;
    const end = async () => {
      ended = true;
      await this.#reap(spec.id);
      this.#news.wake(spec.agent);
      this.#spares?.prepareSoon();
    };
    child.once("exit", end);
    child.once("error", end);
    if (spare !== undefined) this.#tell(spare, { attempt });
    return { ended: () => ended };
  }

  /** Has a host that waits begin. */
  #tell({ stdin }: ChildProcess, handover: Handover): void {
    // As before a start: nothing is awaited in between.
    this.#refuseStopped();
    stdin?.end(`${JSON.stringify(handover)}\n`);
  }

  /** @param more - arguments beside the folder; with some, it waits to be told on its standard input */
  #startProcess(
    host: { session: string; attempt?: string },
    folder: SessionFolder,
    more: readonly string[],
  ): ChildProcess {
    const command = [...(this.#options.hostCommand ?? ownHostCommand()), folder.path, ...more];
    const { file, args, env } = hostProcess(host, command, {
      namespaces: this.#namespaces,
      marks: workspaceMark(this.#options.stopLatch),
    });
    // Nothing is awaited between this look and the start: who has answered a stop since starts nothing any more.
    this.#refuseStopped();
    const log = openSync(folder.logPath, "a", 0o600);
    try {
      const child = spawn(file, [...args], {
        cwd: folder.path,
        env,
        detached: true,
        stdio: [more.length > 0 ? "pipe" : "ignore", log, log],
      });
      child.unref();
      (child.stdin as { unref?(): void } | null)?.unref?.();
      return child;
    } finally {
      closeSync(log);
    }
  }

  #refuseStopped(): void {
    if (!isEngaged(this.#options.stopLatch)) return;
    throw new TransientError("Stopped", "The emergency stop is in force; no session is started.");
  }

  async #admit(spec: SessionSpec, attempt: string): Promise<{ url: string; token: string }> {
    const { id, run, agent, pool, project, purpose, maxOutputTokens, labels } = spec;
    try {
      const grant = { session: id, run, attempt, agent, pool, project, purpose, maxOutputTokens, labels };
      return await this.#options.money.admit(grant);
    } catch (cause) {
      throw new TransientError("GatewayUnavailable", `The gateway does not admit session ${id}.`, { cause });
    }
  }

  /** Gives living hosts the way to a gateway that may have moved meanwhile. */
  async #renewAccess(): Promise<void> {
    const running = (await this.running()).filter(({ pid }) => pid !== undefined);
    const renewals = running.map(async ({ id }) => {
      const folder = this.#folder(id);
      const attempt = folder.readHost()?.attempt;
      await this.#readmit(folder).catch(() => {
        // No gateway now: the host waits for it, and the next poll asks again.
      });
      // Ended meanwhile. The gateway may have been told of that end, and of the next host, before it was told of this.
      if (folder.readHost()?.attempt !== attempt) this.#misled.add(id);
    });
    await Promise.all(renewals);
    await this.#tellMisled();
  }

  async #tellMisled(): Promise<void> {
    const told = [...this.#misled].map(async (id) => {
      const folder = this.#folder(id);
      const tell = () => (folder.readHost() === undefined ? this.#revoke(id, folder) : this.#readmit(folder));
      await this.#inTurn(id, tell).then(
        () => this.#misled.delete(id),
        () => {
          // No gateway now: the next poll tells it.
        },
      );
    });
    await Promise.all(told);
  }

  /** Lets the session's host spend, and no other. */
  async #readmit(folder: SessionFolder): Promise<void> {
    const spec = folder.readSpec();
    const attempt = folder.readHost()?.attempt;
    if (spec === undefined || attempt === undefined) return;
    const access = await this.#admit(spec, attempt);
    if (folder.readHost()?.attempt !== attempt) return;
    if (JSON.stringify(access) !== JSON.stringify(folder.readAccess())) folder.writeAccess(access);
  }

  /** Ends what a dead host has left behind. */
  async #reap(id: string): Promise<void> {
    const folder = this.#folder(id);
    const isDead = async () => {
      const host = folder.readHost();
      return host?.state === "running" && (await this.#hosts.lookAt(id, host)) !== "alive";
    };
    try {
      if (!(await isDead())) return;
      await this.#inTurn(id, async () => {
        if (await isDead()) await this.#endDead(id, folder);
      });
    } catch {
      // `find` says unknown until a later look succeeds.
    }
  }

  /** Ends what a host that is gone has left. */
  async #endDead(id: string, folder: SessionFolder): Promise<void> {
    if (this.#wasOrdered(folder)) recordEnd(folder);
    await this.#end(id, folder);
  }

  /** Whether a host that is gone was ended by an order: by one that was written, or by the latch, which ends all. */
  #wasOrdered(folder: SessionFolder): boolean {
    if (folder.readOrder() === "Now") return true;
    return folder.readHost() !== undefined && stopIsUnsettled(this.#options.stopLatch);
  }

  /** Runs `work` when no other start or end of the session is under way. */
  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(work);
    this.#turns.set(id, turn);
    const done = () => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    };
    turn.then(done, done);
    return turn;
  }

  /**
   * What is known of a host that is to end. Where that can't be read, it names no attempt that may go on: whatever carries the
   * session's mark ends by itself, or is ended unless its turn is waited for. That proves nothing, since its mark may be gone.
   *
   * @throws why it can't be read
   * @throws TransientError while something carries the mark
   */
  async #hostToEnd(
    id: string,
    folder: SessionFolder,
    how: "AfterTurn" | "Now" | "Lost",
  ): Promise<HostFile | undefined> {
    try {
      return folder.readHost();
    } catch (cause) {
      const isOver =
        how === "AfterTurn" ? !(await this.#hosts.hasMarked(id)) : await this.#hosts.endMarked(id);
      const why = `Processes of session ${id} still run, and can't be told apart: ${messageOf(cause)}`;
      if (!isOver) throw new TransientError("StillRunning", why, { cause });
    }
    return folder.readHost();
  }

  /**
   * Kills whatever is left of a session's host, proves it gone, and takes back what it could spend. One that can't be
   * seen from here loses its right to go on instead: it ends itself as soon as it runs.
   */
  async #end(id: string, folder: SessionFolder): Promise<void> {
    const host = folder.readHost();
    if (host === undefined) return;
    const isHere = this.#hosts.isHere(host);
    if (!(await this.#hosts.end(id, host)))
      throw new TransientError("StillRunning", `Processes of session ${id} were killed and are still there.`);
    // Another operator's by now: this one was suspended meanwhile.
    if (folder.readHost()?.attempt !== host.attempt) return;
    folder.clearHost();
    if (!isHere) folder.detachTranscript();
    // A gateway that is away must not keep a tree from being ended. It is told by the next look, or the next operator.
    await this.#revoke(id, folder).catch(() => this.#misled.add(id));
  }

  /** Lets no host of a session spend that has none. In its turn: a start admits its host before that is there. */
  async #revoke(id: string, folder: SessionFolder): Promise<void> {
    await this.#options.money.dismiss(id);
    folder.clearAccess();
  }

  async #waitFor(limitMs: number, condition: () => Promise<boolean>): Promise<boolean> {
    const { clock } = this.#options;
    const deadline = clock.elapsed() + limitMs;
    while (!(await condition())) {
      if (clock.elapsed() > deadline) return false;
      await clock.sleep(lookPeriodMs);
    }
    return true;
  }

  #folder(id: string): SessionFolder {
    if (!isId(id)) throw new TypeError(`A session's id is a UUID, not \`${id}\`.`);
    return sessionFolder(this.#options.directory, id);
  }

  /** Those that may have a host. */
  #living(): readonly string[] {
    return this.#ids().filter((id) => !this.#over.has(id));
  }

  #ids(): readonly string[] {
    const entries = readdirSync(this.#options.directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isId(entry.name)).map(({ name }) => name);
  }
}

/** What else lies beside sessions is none: a folder that a person put aside, say. */
function isId(name: string): boolean {
  return /^[\w-]+$/.test(name);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Notes that the end of the host is an order. */
function recordEnd(folder: SessionFolder): void {
  try {
    folder.writeOrder("Now");
  } catch {
    // A full disk, say: it must not keep anything alive. The end may be counted as a crash then.
  }
}

/** Whether the run did what it was for. One that paused or failed can go on. */
function isFinal({ outcome }: SessionReport): boolean {
  return outcome?.kind === "Finished" || outcome?.kind === "Judged";
}

function ownHostCommand(): readonly string[] {
  // Megabytes that V8 grows its young heap to anyway: a short session then collects hardly ever.
  return [process.execPath, "--min-semi-space-size=16", entryPath("pkg/session/main", "cjs")];
}
