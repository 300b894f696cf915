/** Ending a process that may not listen, and no other one. */
import type { Clock } from "../runtime/clock.ts";
import { isAlive, type ProcessIdentity } from "../system/process-identity.ts";

/**
 * Kills exactly the process that `identity` names, and resolves when it is gone.
 *
 * @param signal - ends the wait for one that a disk holds
 * @throws `signal.reason` when aborted before it is gone
 */
export async function killProcess(
  identity: ProcessIdentity,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, "SIGKILL");
  while (await isAlive(identity)) await clock.sleep(5, signal);
}
