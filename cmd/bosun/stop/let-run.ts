/** How a stop that a person has released is ended in the Workspace too. */
import { isConflict } from "../../../pkg/api/status-error.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { StopLatch } from "../../../pkg/session/stop-latch.ts";
import { theWorkspace } from "../objects.ts";
import type { Reader } from "../operator-client/socket-client.ts";
import { UserError } from "../user-error.ts";

/**
 * Sets mode Running, on the condition that nobody wrote the Workspace since the latch was seen released: a stop that
 * begins meanwhile is noted there, and a mode that comes after that would end it.
 *
 * @throws UserError when it was stopped again
 */
export async function letRun(client: Reader & Pick<Client, "patch">, latch: StopLatch): Promise<void> {
  for (;;) {
    const { metadata } = await theWorkspace(client);
    await refuseStopped(latch);
    const { name, resourceVersion = "" } = metadata;
    try {
      const patch = { metadata: { resourceVersion }, spec: { mode: "Running" as const } };
      await client.patch("Workspace", { namespace: client.namespace, name }, patch);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/** @throws UserError when the stop is in force */
export async function refuseStopped(latch: StopLatch): Promise<void> {
  if (await latch.engaged())
    throw new UserError("It was stopped again meanwhile, and stays stopped. Run this again to go on.");
}
