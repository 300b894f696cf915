/** Whether the hosts of sessions live, and how what they started is ended. */
import type { Clock } from "../runtime/clock.ts";
import { pidSpace, whereabouts } from "../system/pid-space.ts";
import { isAlive, type ProcessIdentity } from "../system/process-identity.ts";
import { endTree, markedProcesses } from "./process-tree.ts";
import type { HostFile, SessionFolder } from "./session-folder.ts";

/** `starting`, `ending`: the host does not run, or no longer, but something of its session does. */
export type HostState = "alive" | "starting" | "ending" | "gone";

export interface HostsDeps {
  folderOf(session: string): SessionFolder;
  clock: Clock;
}

export class Hosts {
  /** Names the machine, kernel and pid namespace that processes are looked for in. */
  readonly place = pidSpace();
  readonly #deps: HostsDeps;
  /** Attempts whose tree was proven gone: nothing of them comes back, and looking for it costs. */
  readonly #gone = new Set<string>();

  constructor(deps: HostsDeps) {
    this.#deps = deps;
  }

  /** @param host - what the session's folder says of it; undefined: nothing, so that none is left */
  async lookAt(session: string, host: HostFile | undefined): Promise<HostState> {
    if (host === undefined || this.#gone.has(host.attempt)) return "gone";
    const where = whereabouts(host.place, this.place);
    if (where === "ended") return "gone";
    if (where === "elsewhere") return this.#lookElsewhere(session, host);
    if (host.state === "running" && (await isAlive(host.host))) return "alive";
    if (await endedWithAll(host)) {
      this.#gone.add(host.attempt);
      return "gone";
    }
    const ending = host.state === "running" && (await isAlive(host.outermost));
    if (ending || (await this.hasMarked(session))) return host.state === "running" ? "ending" : "starting";
    if (host.state === "running") this.#gone.add(host.attempt);
    return "gone";
  }

  /** Whether the host's processes can be looked for from here. */
  isHere({ place }: HostFile): boolean {
    return whereabouts(place, this.place) === "here";
  }

  /**
   * Kills whatever is left of the session, but nothing of a host that was named since: who was suspended meanwhile would
   * end another operator's. False when something of it can't be proven gone.
   */
  async end(session: string, host: HostFile): Promise<boolean> {
    const isHere = this.isHere(host);
    if (isHere && (await endedWithAll(host))) return true;
    const mayEnd = (): boolean => {
      const named = this.#deps.folderOf(session).readHost();
      return named === undefined || named.attempt === host.attempt;
    };
    return await endTree(session, isHere ? identitiesIn(host) : [], this.#deps.clock, mayEnd);
  }

  /** Whether something carries the session's mark. */
  async hasMarked(session: string): Promise<boolean> {
    return (await markedProcesses(session)).length > 0;
  }

  /** Kills what carries the session's mark, as long as nobody can read which host it has. False when some of it lives on. */
  async endMarked(session: string): Promise<boolean> {
    const isUnread = (): boolean => {
      try {
        this.#deps.folderOf(session).readHost();
        return false;
      } catch {
        return true;
      }
    };
    return await endTree(session, [], this.#deps.clock, isUnread);
  }

  /**
   * A host in another container: it lives as long as it has not said how its run ended. Whether it still shows a
   * heartbeat is its pulse. One that never said that it runs may begin no more once another is started.
   */
  #lookElsewhere(session: string, host: HostFile): "alive" | "gone" {
    const hasEnded = this.#deps.folderOf(session).readReport()?.outcome !== undefined;
    return host.state === "running" && !hasEnded ? "alive" : "gone";
  }
}

/**
 * Whether a host of this machine is gone and, with it, all that it started: the kernel ends what is in a process id
 * namespace before the first process of it is gone. A host without one proves nothing by being gone.
 */
async function endedWithAll(host: HostFile): Promise<boolean> {
  if (host.state !== "running" || host.contained !== true) return false;
  return !(await isAlive(host.host)) && !(await isAlive(host.outermost));
}

function identitiesIn(host: HostFile): readonly ProcessIdentity[] {
  return host.state === "running" ? [host.outermost, host.host] : [];
}
