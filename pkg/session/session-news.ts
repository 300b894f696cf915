/** Tells which agents' sessions have news: as soon as a file says so, and by a look at everything now and then. */
import { type FSWatcher, watch } from "node:fs";
import type { Clock } from "../runtime/clock.ts";
import type { SessionFolder } from "./session-folder.ts";
import { newsIn, type SessionObservation } from "./sessions.ts";

export interface SessionNewsDeps {
  /** Where the sessions' folders are. */
  directory: string;
  folderOf(id: string): SessionFolder;
  /** All sessions. */
  ids(): readonly string[];
  /** Those that may have a host. */
  living(): readonly string[];
  find(id: string): Promise<SessionObservation>;
  /** Done for each of the living after everything was looked at. Must not throw. */
  tend(id: string): Promise<void>;
  clock: Clock;
  /** File events get lost: how often everything is looked at anyway, in milliseconds. */
  periodMs: number;
}

/** The files that news is read from; a transcript alone would be heard of several times a turn. */
const telling: ReadonlySet<string> = new Set(["host.json", "report.json"]);

export class SessionNews {
  readonly #deps: SessionNewsDeps;
  readonly #wakers = new Set<(agent: string) => void>();
  /** The news of each session that a subscriber has, by id. */
  readonly #told = new Set<Map<string, string>>();

  constructor(deps: SessionNewsDeps) {
    this.#deps = deps;
  }

  /** Wakes whoever subscribed. */
  wake(agent: string): void {
    for (const wake of this.#wakers) wake(agent);
  }

  /** What was `seen` of a session is no news: who asked for it was answered with it. */
  isKnown(id: string, seen: SessionObservation): void {
    for (const told of this.#told) told.set(id, JSON.stringify(newsIn(seen)));
  }

  /** @param wake - told the agent whose session has news, until `signal` aborts */
  subscribe(wake: (agent: string) => void, signal: AbortSignal): void {
    const { directory, folderOf, ids, living, find, tend, clock, periodMs } = this.#deps;
    this.#wakers.add(wake);
    const watchers = new Map<string, FSWatcher>();
    const told = new Map<string, string>();
    this.#told.add(told);
    const look = async (id: string): Promise<void> => {
      const spec = folderOf(id).readSpec();
      if (spec === undefined) return;
      const now = JSON.stringify(newsIn(await find(id)));
      if (told.get(id) === now) return;
      told.set(id, now);
      if (!signal.aborted) wake(spec.agent);
    };
    const glance = oneAtATime(look);
    const attach = (): void => {
      for (const id of ids()) {
        if (watchers.has(id)) continue;
        const watcher = watched(folderOf(id).path, (name) => {
          if (name === null || telling.has(name)) void glance(id);
        });
        if (watcher !== undefined) watchers.set(id, watcher);
      }
    };
    const root = watched(directory, attach);
    /** Looks at hosts and nothing else: whether they live must not wait for a gateway. */
    const poll = async (): Promise<void> => {
      attach();
      await Promise.all(living().map((id) => look(id).catch(() => undefined)));
      await Promise.all(living().map((id) => tend(id)));
    };
    void repeat(poll, { clock, periodMs, signal }).then(() => {
      this.#wakers.delete(wake);
      this.#told.delete(told);
      for (const watcher of [root, ...watchers.values()]) watcher?.close();
    });
  }
}

/** Repeats `work` until the signal, whatever becomes of it: what fails once is tried again. */
export async function repeat(
  work: () => Promise<void>,
  { clock, periodMs, signal }: { clock: Clock; periodMs: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      // Files that can't be read now, most likely; `find` says so to whoever asks.
    }
    await clock.sleep(periodMs, signal).catch(() => undefined); // Ended.
  }
}

/** `look`, of which one runs at a time for each id: events come in swarms, and the last one counts. */
function oneAtATime(look: (id: string) => Promise<void>): (id: string) => Promise<void> {
  const looking = new Map<string, "once" | "again">();
  return async (id) => {
    if (looking.has(id)) {
      looking.set(id, "again");
      return;
    }
    do {
      looking.set(id, "once");
      // What can't be looked at now is looked at again by the next poll.
      await look(id).catch(() => undefined);
    } while (looking.get(id) === "again");
    looking.delete(id);
  };
}

/** A watch, or none where the system grants no more of them or the folder is gone: then the next poll tells. */
function watched(path: string, tell: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, (_, name) => {
      try {
        tell(name);
      } catch {
        // The folder was read while it changed; the next poll reads it again.
      }
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
