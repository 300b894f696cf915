/** Ending a process that may not listen, and no other one. */
import type { Clock } from "../runtime/clock.ts";
import { startTimeOf } from "../system/process-identity.ts";

/** Identity of a process: a pid alone may mean another one by now. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** Kills exactly the process that `identity` names, and resolves when it is gone. */
export async function killProcess(identity: ProcessIdentity, clock: Clock): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, "SIGKILL");
  while (await isAlive(identity)) await clock.sleep(5);
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}
