/** Ending the gateway without asking it: for the emergency stop, with or without a living operator. */
import type { Clock } from "../runtime/clock.ts";
import { startTimeOf } from "../system/process-identity.ts";
import { readProcessRecord } from "./process.ts";

/** Identity of a process: a pid alone may mean another one by now. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/**
 * Kills the gateway that runs on `stateDirectory`, every request in flight with it, and resolves when it is gone. Its
 * ledger is whole: at the next start what was under way is charged with its whole reservation.
 *
 * @returns false when none was running
 */
export async function killGateway(stateDirectory: string, clock: Clock): Promise<boolean> {
  const record = await readProcessRecord(stateDirectory);
  if (record === undefined || !(await isAlive(record))) return false;
  await killProcess(record, clock);
  return true;
}

/** Kills exactly the process that `identity` names, and resolves when it is gone. */
export async function killProcess(identity: ProcessIdentity, clock: Clock): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, "SIGKILL");
  while (await isAlive(identity)) await clock.sleep(5);
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}
