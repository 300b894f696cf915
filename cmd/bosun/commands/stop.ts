/** `bosun stop --emergency`: ends every session, its processes and every request at once, and keeps all state. */
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { NAMESPACE, theWorkspace } from "../objects.ts";
import { NoOperatorError, socketClient } from "../operator-client/socket-client.ts";
import { endEverything } from "../stop/end-everything.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace } from "../workspace-folder.ts";

export async function stop(context: Context, { emergency = false }: { emergency?: boolean }): Promise<void> {
  if (!emergency) {
    throw new UserError(
      "Say which stop: `bosun stop --emergency` ends everything at once; `bosun pause` lets turns finish; Ctrl-C where `bosun up` runs ends the operator.",
      { exitCode: 2 },
    );
  }
  const folder = findWorkspace(context.cwd);
  const startedMs = systemClock.elapsed();
  // The latch first: from here on nothing starts, whoever is alive.
  await fileStopLatch(folder.stopLatch).engage("bosun stop --emergency");
  const { sessions, gateways, survivors } = await endEverything(folder, systemClock);
  const ms = Math.round(systemClock.elapsed() - startedMs);
  context.out(
    `Stopped in ${ms} ms: ${sessions.length} sessions and ${gateways} gateways ended. All state is kept; \`bosun resume\` goes on.`,
  );
  await declareStopped(context, folder.socket);
  if (survivors.length > 0)
    throw new UserError(`Still alive: ${survivors.join(", ")}. Run it again, or end them by hand.`);
}

/** Writes it into the Workspace too, where an operator can: so that people see it. */
async function declareStopped(context: Context, socket: string): Promise<void> {
  const client = socketClient(socket);
  try {
    const { metadata } = await theWorkspace(client);
    await client.patch(
      "Workspace",
      { namespace: NAMESPACE, name: metadata.name },
      { spec: { mode: "Stopped" } },
    );
  } catch (error) {
    if (error instanceof NoOperatorError) return;
    context.note(
      `The Workspace doesn't say Stopped yet: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
