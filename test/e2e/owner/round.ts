/** One round of the soak: operators one after another, each lost at a random moment, some waking when nobody expects it. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { markedProcesses } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { signalIfAlive } from "../../../pkg/system/testing/signal-if-alive.ts";
import { type Prng, prng } from "../../simulation/kernel/prng.ts";
import { type OperatorProcess, type Scratch, scratch } from "../operator/scratch.ts";
import {
  canMakeContainers,
  container,
  letTimePass,
  moveHolderAway,
  operatorsOf,
  quarantined,
} from "./elsewhere.ts";
import { ownershipFaults, zombieMark } from "./verdict.ts";

export interface RoundOptions {
  seed: number;
  /** How many operators are lost before one brings the work to its end. */
  losses: number;
  projects: number;
  tell(line: string): void;
}

/** An operator or an agent that sleeps: wakes it, and says what is wrong with how that went. */
type Sleeper = () => Promise<string[]>;

/** An operator loses its life or its mind within this of its start, in milliseconds. */
const lossMsMax = 4_000;
/** A sleeper wakes within this of its successor's start, in milliseconds. */
const wakeMsMax = 4_000;
/** How long an agent at work is waited for, in milliseconds. */
const patienceMs = 5_000;
/** Who wakes notices within this, in milliseconds: many times what it takes on an idle machine. */
const noticeMs = 30_000;

/**
 * @param atEnd - takes the work that removes everything
 * @returns what is wrong, a sentence each
 */
export async function runRound(
  { seed, losses, projects, tell }: RoundOptions,
  atEnd?: (work: () => Promise<void>) => void,
): Promise<string[]> {
  const random = prng(seed, "owner");
  const names = Array.from({ length: projects }, (_, index) => `p${index + 1}`);
  const sketches = names.map((name) => [name, { description: "[test: steady]", tasks: 6 }] as const);
  const here = scratch({ projects: Object.fromEntries(sketches), agents: 2 }, atEnd);
  const faults: string[] = [];
  let sleepers: Sleeper[] = [];
  for (let loss = 0; loss < losses; loss += 1) {
    const operator = await start(here);
    const waking = wakeAll(sleepers);
    await sleep(random.below(lossMsMax));
    faults.push(...(await waking));
    sleepers = await lose(operator);
  }
  await start(here);
  faults.push(...(await wakeAll(sleepers)));
  for (const name of names) await here.phase(name, "Done");
  for (const pid of await operatorsOf(here)) signalIfAlive(pid, "SIGINT");
  await until("the last operator's end", async () => (await operatorsOf(here)).length === 0);
  return [...faults, ...ownershipFaults(here.repository, here.workspace)];

  async function wakeAll(asleep: readonly Sleeper[]): Promise<string[]> {
    const found = await Promise.all(
      asleep.map(async (wake) => {
        await sleep(random.below(wakeMsMax));
        return await wake();
      }),
    );
    return found.flat();
  }

  async function lose(operator: OperatorProcess): Promise<Sleeper[]> {
    const [pid] = await operatorsOf(here);
    // Zero would be this process and all of its group.
    if (pid === undefined) throw new Error(`No operator runs. The last one printed:\n${operator.output()}`);
    const fate = random.below(3);
    if (fate === 0) {
      tell(`operator ${pid} is suspended`);
      process.kill(pid, "SIGSTOP");
      moveHolderAway(here);
      return [() => wakeOperator(here, pid, operator)];
    }
    const session = fate === 2 && canMakeContainers ? await livingSession(here, random) : undefined;
    if (session !== undefined) {
      const suspended = await markedProcesses(session);
      tell(`session ${session} of ${suspended.length} processes is suspended, operator ${pid} killed`);
      for (const one of suspended) signalIfAlive(one, "SIGSTOP");
      await kill(pid);
      return [() => wakeSession(here, session, suspended)];
    }
    tell(`operator ${pid} is killed`);
    await kill(pid);
    return [];
  }

  async function kill(pid: number): Promise<void> {
    process.kill(pid, "SIGKILL");
    await until("its end", async () => !(await operatorsOf(here)).includes(pid));
    letTimePass(here);
  }
}

async function start(here: Scratch): Promise<OperatorProcess> {
  const operator = here.rehearseBy(canMakeContainers ? container(here, { outlives: true }) : []);
  await operator.ready();
  return operator;
}

/** The session of an author at work; undefined where there is none for a while. */
async function livingSession(here: Scratch, random: Prng): Promise<string | undefined> {
  let living: string[] = [];
  await within(patienceMs, async () => {
    const ids = existsSync(here.workspace.sessions) ? readdirSync(here.workspace.sessions).toSorted() : [];
    living = [];
    for (const id of ids) {
      const spec = sessionFolder(here.workspace.sessions, id).readSpec();
      if (spec?.purpose === "execute" && (await markedProcesses(id)).length > 0) living.push(id);
    }
    return living.length > 0;
  });
  return living[random.below(Math.max(1, living.length))];
}

async function wakeOperator(here: Scratch, pid: number, operator: OperatorProcess): Promise<string[]> {
  process.kill(pid, "SIGCONT");
  const isGone = await within(noticeMs, async () => !(await operatorsOf(here)).includes(pid));
  if (!isGone) return [`Operator ${pid} woke and did not end.`];
  const said = operator.output().includes("Another operator has taken over this workspace");
  return said ? [] : [`Operator ${pid} woke and ended with: ${operator.output().split("\n").at(-2)}`];
}

/** Gives its Project to another agent, and then wakes it. */
async function wakeSession(here: Scratch, session: string, suspended: readonly number[]): Promise<string[]> {
  const spec = sessionFolder(here.workspace.sessions, session).readSpec();
  if (spec === undefined) return [`Session ${session} has no spec.`];
  const { items } = await here.client.list("Agent");
  const other = items.find(
    ({ metadata, spec: { role } }) => role === "Execution" && metadata.name !== spec.agent,
  );
  const key = { namespace: "default", name: spec.project };
  await here.client.patch("Project", key, { spec: { assignedAgent: other?.metadata.name } });
  const isTaken = await within(noticeMs, async () => {
    const { status } = await here.project(spec.project);
    return (status?.claimNumber ?? 0) > spec.claim.number || status?.phase === "Done";
  });
  if (!isTaken) return [`${spec.project} was given to ${other?.metadata.name}, who did not take it.`];
  for (const checkout of [spec.checkout, ...quarantined(here)]) commitAsZombie(checkout);
  // Its host, woken first, ends what it started.
  for (const pid of suspended) signalIfAlive(pid, "SIGCONT");
  const isGone = await within(noticeMs, async () => (await markedProcesses(session)).length === 0);
  return isGone ? [] : [`Session ${session} of ${spec.project} woke and did not end.`];
}

/** Only where the claim was lost, since every other checkout is somebody's. */
function commitAsZombie(checkout: string): void {
  if (!existsSync(path.join(checkout, ".git"))) return;
  const person = ["-c", "user.name=Zombie", "-c", "user.email=zombie@example.invalid"];
  const args = ["-C", checkout, ...person, "commit", "--quiet", "--allow-empty", "--message", zombieMark];
  execFileSync("git", args, { stdio: "ignore" });
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  if (!(await within(noticeMs, look))) throw new Error(`Waited ${noticeMs / 1000} s in vain for: ${what}`);
}

async function within(limitMs: number, look: () => Promise<boolean>): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await look()) return true;
    await sleep(25);
  }
  return false;
}
