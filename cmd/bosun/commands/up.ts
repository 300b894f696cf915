/** `bosun up`: the operator in the foreground, with a live view. Ctrl-C once finishes turns and saves; twice stops now. */
import path from "node:path";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { SETTLED_PHASES } from "../../../pkg/api/phases.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import { Git } from "../../../pkg/git/git.ts";
import { inspectRepository } from "../../../pkg/git/inspect.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { keepCompiled } from "../../../pkg/system/compile-cache.ts";
import { compileLate } from "../../../pkg/system/compile-late.ts";
import { isEngaged } from "../../../pkg/system/latch-files.ts";
import { giveMemoryBackAtRest } from "../../../pkg/system/memory-at-rest.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { declaredTarget } from "../declared-target.ts";
import { fullDiskIn } from "../disk-failure.ts";
import { ExitCode } from "../exit-code.ts";
import { makeFolder, topOf } from "../init/make-folder.ts";
import type { ClusterOptions } from "../operator/cluster.ts";
import { earlierLock } from "../operator/lock.ts";
import { notifyOfFullDisk } from "../operator/notify-full-disk.ts";
import { type Operator, startOperator } from "../operator/operator.ts";
import { pauseMsAfter, startAgain, takeFullDisks } from "../operator/start-again.ts";
import { takenOver } from "../operator/taken-over.ts";
import { disksOf, waitForRoom } from "../operator/wait-for-room.ts";
import { report } from "../report.ts";
import { sessionsAtWork } from "../stop/sessions-at-work.ts";
import { UserError } from "../user-error.ts";
import { liveView } from "../view/live.ts";
import { type Objects, readObjects } from "../view/objects.ts";
import {
  findWorkspace,
  lookForWorkspace,
  type WorkspaceFolder,
  workspaceFolder,
} from "../workspace-folder.ts";

export interface UpOptions {
  rehearse?: boolean;
  scenarios?: readonly string[];
  pace?: number;
  untilSettled?: boolean;
  /** Any of these three: what is declared lies in a cluster. */
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

/** How often the view looks whether something changed, and a terminal is drawn anew, in milliseconds. */
const lookMs = 500;
/** The same where somebody waits for the end of all work: a look at what has not changed takes a fraction of one. */
const settledLookMs = 20;
/** What has not changed is shown again after this, in milliseconds: a terminal shows ages, a log what stands for too long. */
const redrawMs = () => (process.stdout.isTTY ? lookMs : 60_000);

export async function up(context: Context, options: UpOptions): Promise<void> {
  compileLate();
  if (options.pace !== undefined && options.rehearse !== true)
    throw new UserError("--pace is how long the played model pauses; it goes with --rehearse.");
  const cluster = clusterOf(context, options);
  const folder =
    cluster === undefined ? findWorkspace(context.cwd) : await workspaceFor(context.cwd, cluster);
  await refuseUnusable(folder, context);
  // From here on Ctrl-C is heard: what starts below must be ended in order.
  const interrupts = followInterrupts(context);
  const view = liveView(process.stdout, context.now);
  const print = (line: string): void => view.print([line]);
  const fullDisks = takeFullDisks();
  if (fullDisks > 0)
    await waitInPlace(folder, {
      fullDisks,
      interrupted: interrupts.first,
      print,
      env: context.env,
    });
  const givenUp = new AbortController();
  const startedMs = systemClock.elapsed();
  let isStarting = true;
  let isEnding = false;
  void interrupts.first.then(() => {
    isEnding = true;
    givenUp.abort(new ExitCode(130));
  });
  /** Comes back when `error` is another one, nobody wants it to go on, or it can't be done. */
  const goOnOnceThereIsRoom = (error: unknown): void => {
    const full = fullDiskIn(error);
    if (full === undefined || isEnding) return;
    context.note(`bosun: ${full.message}. Everything that was acknowledged is kept.`);
    startAgain({ before: fullDisks, ranMs: systemClock.elapsed() - startedMs });
  };
  // A start that hangs has nothing to save yet. The exit code is a shell's for an interrupted process.
  void interrupts.second.then(() => isStarting && process.exit(130));
  const starting = startOperator({
    folder,
    env: context.env,
    rehearse: options.rehearse === true,
    ...(cluster === undefined ? {} : { cluster }),
    signal: givenUp.signal,
    scenarios: (options.scenarios ?? []).map((entry) => path.resolve(context.cwd, entry)),
    ...(options.pace === undefined ? {} : { pace: options.pace }),
    note: print,
    // At once, since nothing it would still do is its own to do. Sessions go on; the next operator finds them.
    onFatal(error) {
      goOnOnceThereIsRoom(error);
      process.exit(report(error, context));
    },
  });
  const operator = await starting.catch((error: unknown) => {
    goOnOnceThereIsRoom(error);
    throw error;
  });
  isStarting = false;
  keepCompiled();
  giveMemoryBackAtRest();
  print(
    `The operator runs (process ${process.pid}). Ctrl-C lets running turns finish and saves; a second Ctrl-C stops now.`,
  );

  if (isEngaged(folder.stopLatch))
    print("The emergency stop is in force: nothing starts until `bosun resume` in another terminal.");
  const objects = await show(operator, view.show, interrupts.first, options.untilSettled === true).catch(
    async (error: unknown) => {
      // A bug of the view must not leave agents behind that nobody watches.
      await operator.drain();
      throw error;
    },
  );
  isEnding = true;
  if (objects === undefined)
    print(
      (await sessionsAtWork(folder)) === 0
        ? "No session is at work: the operator ends."
        : "Running turns finish and are saved. Ctrl-C again stops them now.",
    );
  const draining = operator.drain();
  await Promise.race([draining, interrupts.second.then(() => operator.stop())]);
  print("Stopped. All state is kept; `bosun up` goes on where it was.");
}

/** A full disk ended this operator's last start. @throws ExitCode of that end when it is interrupted meanwhile */
async function waitInPlace(
  folder: WorkspaceFolder,
  {
    fullDisks,
    interrupted,
    print,
    env,
  }: { fullDisks: number; interrupted: Promise<void>; print(line: string): void; env: Context["env"] },
): Promise<void> {
  const clock = systemClock;
  const over = new AbortController();
  void interrupted.then(() => over.abort(new ExitCode(1)));
  const lost = (): Error => takenOver(folder);
  const tell = (message: string): void => {
    // One whose start is ended by the disk again and again is in the same trouble still.
    if (fullDisks > 1) return;
    const notice = { folder, clock, env, signal: over.signal, message, note: print };
    notifyOfFullDisk(notice).catch((error: Error) =>
      print(`Warning: spec.notify.command could not be run: ${error.message}`),
    );
  };
  await waitForRoom({
    folders: disksOf(folder),
    earlier: await earlierLock(folder.operator, { clock, lost }),
    pauseMs: pauseMsAfter(fullDisks),
    clock,
    signal: over.signal,
    note: print,
    onWait: tell,
  }).catch((error: unknown) => {
    if (over.signal.aborted)
      print(
        "Ended while it waited for room on the disk. All state is kept; `bosun up` goes on where it was.",
      );
    throw error;
  });
}

/** What is declared lies in a cluster: nothing needs to be written before there is a folder for the rest. */
async function workspaceFor(cwd: string, cluster: ClusterOptions): Promise<WorkspaceFolder> {
  const found = lookForWorkspace(cwd);
  if (found !== undefined) return found;
  // A folder that is left behind by a mistyped file would look like a workspace.
  await refuseUnusableKubeconfig(cluster);
  const git = new Git();
  const repository = await topOf(git, cwd);
  await makeFolder(git, repository);
  return workspaceFolder(repository);
}

/** @throws TerminalError as `readCluster` */
async function refuseUnusableKubeconfig(cluster: ClusterOptions): Promise<void> {
  // Loaded here alone: file mode must run without it.
  const { readCluster } = await import("../../../pkg/cluster/kubeconfig.ts");
  const { access } = await readCluster(cluster);
  access.close();
}

function clusterOf(
  { cwd }: Context,
  { kubeconfig, context, namespace }: UpOptions,
): ClusterOptions | undefined {
  if (kubeconfig === undefined && context === undefined && namespace === undefined) return undefined;
  return {
    ...(kubeconfig === undefined ? {} : { file: path.resolve(cwd, kubeconfig) }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Draws until `ended` resolves (then undefined), or until all work has come to an end (then what was shown last). */
async function show(
  operator: Operator,
  draw: (objects: Objects) => void,
  ended: Promise<unknown>,
  untilSettled: boolean,
): Promise<Objects | undefined> {
  const over = ended.then(() => "over" as const);
  let before = "";
  let drawnMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const objects = await Promise.race([over, readUnlessAway(operator)]);
    if (objects === "over") return undefined;
    if (objects !== "away") {
      const now = JSON.stringify(
        (Object.values(objects) as readonly KubeObject[][]).flatMap((list) =>
          list.map(({ metadata }) => metadata.resourceVersion),
        ),
      );
      if (now !== before || performance.now() - drawnMs >= redrawMs()) {
        draw(objects);
        drawnMs = performance.now();
      }
      before = now;
      if (untilSettled && isSettled(objects)) return objects;
    }
    if ((await Promise.race([over, passed(untilSettled ? settledLookMs : lookMs)])) === "over")
      return undefined;
  }
}

/** What there is to show; `away` while it can't be asked for, as when a cluster can't be reached. */
async function readUnlessAway({ client }: Operator): Promise<Objects | "away"> {
  try {
    return await readObjects(client);
  } catch (error) {
    if (error instanceof TransientError || error instanceof StatusError) return "away";
    throw error;
  }
}

/** Nothing is left that agents could do: every Project has ended or waits for a person, and nobody works. */
function isSettled({ projects, agents }: Objects): boolean {
  const done = projects.every(
    ({ status }) =>
      status?.phase !== undefined && (SETTLED_PHASES.has(status.phase) || status.phase === "Escalated"),
  );
  const free = agents.every(({ status }) => status?.session === undefined && status?.project === undefined);
  return projects.length > 0 && done && free;
}

async function refuseUnusable(folder: WorkspaceFolder, context: Context): Promise<void> {
  const problems = await inspectRepository(folder.repository, { targetBranch: declaredTarget(folder) });
  const errors = problems.filter(({ severity }) => severity === "error");
  for (const { message, fix } of problems.filter(({ severity }) => severity === "warning"))
    context.note(`${message} ${fix}`);
  if (errors.length > 0)
    throw new UserError(errors.map(({ message, fix }) => `${message} ${fix}`).join("\n"));
}

/** A terminal that is closed, or a reader that is gone (Ctrl-C ends `tee` too), ends it as a first Ctrl-C does. */
function followInterrupts(context: Context): { first: Promise<void>; second: Promise<void> } {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  const interrupted = (): void => {
    count += 1;
    if (count === 1) first.resolve();
    else second.resolve();
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  process.on("SIGHUP", () => first.resolve());
  context.onUnread(() => first.resolve());
  return { first: first.promise, second: second.promise };
}

const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
