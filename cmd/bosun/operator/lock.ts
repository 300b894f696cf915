/**
 * One operator a workspace. The lock is the unix socket in `.bosun/`: who connects finds the holder. Beside it stands
 * `operator.json`, whose heartbeat holds the lock across kernels and containers that share the folder.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { UserError } from "../user-error.ts";

/** A heartbeat younger than this holds, in milliseconds. */
const heldMs = 30_000;
const beatMs = 5_000;

interface Holder {
  pid: number;
  startTime: string;
  /** Of the kernel that the pid belongs to. */
  boot: string;
  heartbeatMs: number;
}

/** How a person calls who holds the lock, and what they can do about it. */
export interface HolderWords {
  /** Begins a sentence. */
  readonly name: string;
  readonly place: string;
  readonly advice: string;
}

export interface LockOptions {
  folder: string;
  socket: string;
  server: Server;
  clock: Clock;
  /** An operator by default. */
  holder?: HolderWords;
}

const operator: HolderWords = {
  name: "An operator",
  place: "this workspace",
  advice: "`bosun status` shows what it does; stop it with Ctrl-C where it runs.",
};

export interface Lock {
  release(): void;
}

/**
 * Takes the lock of `folder` by listening on `socket`.
 *
 * @param onLost - told when another operator has taken it: nothing may be written any more
 * @throws UserError when another operator holds it
 */
export async function takeLock(
  { folder, socket, server, clock, holder = operator }: LockOptions,
  onLost: () => void,
): Promise<Lock> {
  const path = join(folder, "operator.json");
  await refuseHeld(path, socket, clock, holder);
  const me: Holder = {
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? "",
    boot: await bootId(),
    heartbeatMs: clock.now(),
  };
  beat(path, me);
  rmSync(socket, { force: true });
  await listen(server, socket);
  const inode = statSync(socket).ino;
  const stopped = new AbortController();
  void keep();
  return {
    release() {
      stopped.abort();
      server.close();
      server.closeAllConnections();
      if (inodeOf(socket) === inode) rmSync(socket, { force: true });
      if (holderIn(path)?.pid === me.pid) rmSync(path, { force: true });
    },
  };

  async function keep(): Promise<void> {
    try {
      for (;;) {
        await clock.sleep(beatMs, stopped.signal);
        // Two that started at once: the later one has replaced the socket and the file.
        const holder = holderIn(path);
        if (inodeOf(socket) !== inode || (holder !== undefined && holder.startTime !== me.startTime))
          return onLost();
        beat(path, { ...me, heartbeatMs: clock.now() });
      }
    } catch {
      // Released.
    }
  }
}

async function refuseHeld(
  path: string,
  socket: string,
  clock: Clock,
  { name, place, advice }: HolderWords,
): Promise<void> {
  const holder = holderIn(path);
  if (await answers(socket))
    throw new UserError(
      `${name} already runs here${holder === undefined ? "" : ` (process ${holder.pid})`}. ${advice}`,
    );
  if (holder === undefined || clock.now() - holder.heartbeatMs >= heldMs) return;
  const here = holder.boot === (await bootId());
  if (here && (await startTimeOf(holder.pid)) !== holder.startTime) return;
  const waitSeconds = Math.ceil((heldMs - (clock.now() - holder.heartbeatMs)) / 1000);
  throw new UserError(
    here
      ? `${name} (process ${holder.pid}) holds ${place} but does not answer. End it, then try again.`
      : `${name} on another machine or in another container held ${place} a moment ago. Stop it, or wait ${waitSeconds} s.`,
  );
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Others of this machine must not steer it.
    const before = process.umask(0o177);
    server.listen(socket, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(before);
  });
}

function beat(path: string, holder: Holder): void {
  writeFileSync(`${path}.new`, JSON.stringify(holder), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function holderIn(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    // Absent, or torn by a power loss, which ended its holder too.
    return undefined;
  }
}

function inodeOf(socket: string): number | undefined {
  return statSync(socket, { throwIfNoEntry: false })?.ino;
}

/** Names the running kernel and its pid namespace: a pid means something only within both. */
async function bootId(): Promise<string> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    return `${boot} ${statSync("/proc/self/ns/pid").ino}`;
  } catch {
    // Not Linux: the name has to do.
    return hostname();
  }
}
