/** Operators that can't see each other, and hands for what happens to them while nobody looks. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished, type TestContext } from "vitest";
import { pidNamespaceAvailable } from "../../../pkg/sandbox/pid-namespace.ts";
import type { Scratch } from "../operator/scratch.ts";
import { processesOf } from "../processes.ts";
import { podmanContainer, removePodmanContainers } from "./podman.ts";

const hourMs = 3_600_000;
const unshare = await pidNamespaceAvailable();
/** Real containers instead of bare namespaces. */
const withPodman = process.env.BOSUN_CONTAINERS === "podman";

/** Whether operators can be kept from seeing each other on this machine. */
export const canMakeContainers = withPodman || unshare !== undefined;

/** Skips a test that needs namespaces where there are none, and says so. */
export function needContainers(context: TestContext): void {
  if (withPodman) onTestFinished(removePodmanContainers);
  if (canMakeContainers) return;
  const why = "no pid namespace can be made here, so there are no containers to try it with";
  console.warn(`Skipped: ${why}.`);
  context.skip(why);
}

/**
 * The command of a container for an operator of `here`: processes in it can't be seen from another one, nor their pids
 * be looked for.
 *
 * @param options.outlives - it goes on when what was started in it has ended, as one with an init does
 */
export function container(
  { repository }: Pick<Scratch, "repository">,
  { outlives = false } = {},
): readonly string[] {
  const made = withPodman ? podmanContainer() : ["unshare", "--uts", "--ipc", ...(unshare ?? []), "--"];
  const init = outlives ? '"$@" & while :; do sleep 1000; done' : 'exec "$@"';
  return [...made, "/bin/sh", "-c", `cd "$0" && ${init}`, repository];
}

/** The holder of the lock is one whom nobody can reach or look for, silent for an hour: on another machine, perhaps. */
export function moveHolderAway({ workspace }: Scratch): void {
  const lock = path.join(workspace.operator, "lock");
  for (const name of readdirSync(lock)) if (name.endsWith(".sock")) rmSync(path.join(lock, name));
  changeHolder(lock, (holder) => ({ ...holder, place: "- another-kernel 1" }));
  letTimePass({ workspace });
}

/** As if the holder of the lock had given its last sign of life an hour ago. */
export function letTimePass({ workspace }: Pick<Scratch, "workspace">): void {
  changeHolder(path.join(workspace.operator, "lock"), (holder) => ({
    ...holder,
    heartbeatMs: Number(holder.heartbeatMs) - hourMs,
  }));
}

function changeHolder(
  lock: string,
  change: (holder: Record<string, unknown>) => Record<string, unknown>,
): void {
  const numbers = readdirSync(lock).flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []);
  const file = path.join(lock, `${Math.max(...numbers.map(Number))}.json`);
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
}

/** The operators that run for the folder, as pids of this namespace, whatever container they are in. */
export async function operatorsOf({ folder }: Pick<Scratch, "folder">): Promise<readonly number[]> {
  const found = (await processesOf(folder))
    .filter(({ command }) => command.startsWith(process.execPath) && command.includes("bosun.mjs up"))
    .map(({ pid }) => pid);
  // What an operator is about to start has its command until it has one of its own.
  return found.filter((pid) => !found.includes(parentOf(pid)));
}

/** Zero when the process is gone. */
function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    // Gone, or no Linux: then nothing is known of its parent.
    return 0;
  }
}

/** The checkout in which an agent's command waits; undefined until one does. */
export function waitingCheckout({ folder }: Pick<Scratch, "folder">, agent: string): string | undefined {
  const states = path.join(folder, "state", "bosun");
  if (!existsSync(states)) return undefined;
  return readdirSync(states)
    .flatMap((workspace) => foldersIn(path.join(states, workspace, "checkouts")))
    .find((checkout) => {
      const isIts = path.basename(checkout).startsWith(`${agent}-`);
      return isIts && existsSync(path.join(checkout, ".waiting"));
    });
}

/** Checkouts that were put aside because they held something. */
export function quarantined({ folder }: Pick<Scratch, "folder">): readonly string[] {
  const states = path.join(folder, "state", "bosun");
  return readdirSync(states).flatMap((workspace) => foldersIn(path.join(states, workspace, "quarantine")));
}

export function letGo(checkout: string): void {
  writeFileSync(path.join(checkout, ".go"), "");
}

function foldersIn(place: string): string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(place, name));
}
