import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Ids } from "../runtime/clock.ts";
import { endTree } from "./process-tree.ts";
import { type SessionFolder, sessionFolder } from "./session-folder.ts";

export interface SpareHostsOptions {
  /** Where the sessions' folders are. */
  directory: string;
  /** Starts the process of a host that waits, in its folder; throws where nothing may be started now. */
  spawn(id: string, folder: SessionFolder): ChildProcess;
  clock: Clock;
  ids: Ids;
}

/** How many wait: an author's session and a reviewer's often begin at the same time. */
const sparesMax = 2;
/**
 * How long after a session's begin or end the next is prepared, in milliseconds: a start of Node has a core to itself for
 * a tenth of a second, and what has just begun or ended needs it first.
 */
const prepareAfterMs = 300;
/** How long one that waits may take to end by itself, in milliseconds. */
const heedMs = 1_000;
/** How long a host waits for its session, in milliseconds: for what follows at once upon something else. */
const keptMs = 60_000;

interface Spare {
  child: ChildProcess;
  exited: Promise<unknown>;
  /** Ends the wait for its time to be over. */
  used: AbortController;
}

/**
 * Session hosts that are started before there is a session for them, since a start of Node with all that a host needs
 * takes longer than all else that a session's start waits for. Two wait at most for new sessions, and one for each that
 * is about to go on; each was started under the id of its session, so that what finds and ends a session's processes
 * finds these too. A host that nobody needs ends after a minute, and at once when its operator ends or the stop latch is
 * engaged.
 */
export class SpareHosts {
  readonly #options: SpareHostsOptions;
  readonly #spares = new Map<string, Spare>();
  /** Those whose id nobody has yet, the oldest first. */
  readonly #free = new Set<string>();
  readonly #closing = new AbortController();
  #isPreparing = false;

  constructor(options: SpareHostsOptions) {
    this.#options = options;
  }

  /** Starts those that are missing. Never fails: a session starts without them, only later. */
  prepare(): void {
    while (!this.#isClosed && this.#free.size < sparesMax && this.#startFree());
  }

  /** The same in a moment. */
  prepareSoon(): void {
    if (this.#isPreparing || this.#isClosed) return;
    this.#isPreparing = true;
    this.#options.clock.sleep(prepareAfterMs, this.#closing.signal).then(
      () => {
        this.#isPreparing = false;
        this.prepare();
      },
      () => undefined, // Closed.
    );
  }

  /** Starts one for session `id`, which goes on in a moment, unless one waits for it. Never fails either. */
  prepareFor(id: string): void {
    if (!this.#isClosed && !this.#spares.has(id)) this.#start(id);
  }

  /** The id that a host was started under that nobody has yet; undefined where none can be started. Given once. */
  offer(): string | undefined {
    if (this.#free.size === 0 && !this.#isClosed) this.#startFree();
    const [id] = this.#free;
    if (id !== undefined) this.#free.delete(id);
    return id;
  }

  /** The host that waits for session `id`; from here on it is the caller's. Undefined when there is none. */
  take(id: string): ChildProcess | undefined {
    const spare = this.#spares.get(id);
    if (spare === undefined) return undefined;
    spare.used.abort();
    this.#spares.delete(id);
    this.#free.delete(id);
    return spare.child;
  }

  /** Ends those that wait. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("No session begins any more."));
    await Promise.all([...this.#spares].map(([id, spare]) => this.#end(id, spare)));
  }

  /** With its input one ends by itself; only one that does not heed that has to be looked for. */
  async #end(id: string, { child, exited }: Spare): Promise<void> {
    const { clock } = this.#options;
    child.stdin?.destroy();
    const over = new AbortController();
    const late = clock.sleep(heedMs, over.signal).then(
      () => endTree(id, [], clock),
      () => undefined, // It ended by itself.
    );
    await exited;
    over.abort();
    await late;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @returns whether it was started */
  #startFree(): boolean {
    const id = this.#options.ids.uuid();
    if (!this.#start(id)) return false;
    this.#free.add(id);
    return true;
  }

  /** @returns whether it was started */
  #start(id: string): boolean {
    const { directory, spawn, clock } = this.#options;
    const folder = sessionFolder(directory, id);
    try {
      mkdirSync(folder.path, { recursive: true, mode: 0o700 });
      const child = spawn(id, folder);
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      const used = new AbortController();
      const end = (): void => {
        this.#forget(id);
        resolve();
      };
      child.once("exit", end);
      child.once("error", end);
      // A host that is gone before it is told: its exit says so.
      child.stdin?.on("error", () => undefined);
      this.#spares.set(id, { child, exited, used });
      clock.sleep(keptMs, used.signal).then(
        () => child.kill("SIGKILL"),
        () => undefined, // It has a session by now.
      );
      return true;
    } catch {
      // A stop in force, a full disk, no more processes: who starts a session finds out, and says so.
      removeIfCan(folder);
      return false;
    }
  }

  #forget(id: string): void {
    const spare = this.take(id);
    if (spare !== undefined) removeIfCan(sessionFolder(this.#options.directory, id));
  }
}

function removeIfCan(folder: SessionFolder): void {
  try {
    removeUnused(folder);
  } catch {
    // A folder that may not be searched, a disk that fails: the next operator removes it.
  }
}

/** Removes the folder of a session that never began; that of one that did stays. */
export function removeUnused(folder: SessionFolder): void {
  if (existsSync(join(folder.path, "spec.json"))) return;
  rmSync(folder.path, { recursive: true, force: true });
}
