/**
 * `bosun stop` ends the operator as Ctrl-C does. `--emergency` ends every session, its processes and every request at
 * once. Both keep all state.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileStopLatch } from "../../../pkg/session/file-stop-latch.ts";
import { isAlive, type ProcessIdentity } from "../../../pkg/session/process-tree.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import type { Context } from "../context.ts";
import { NAMESPACE, theWorkspace } from "../objects.ts";
import { NoOperatorError, socketClient } from "../operator-client/socket-client.ts";
import { endEverything } from "../stop/end-everything.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";

export async function stop(context: Context, { emergency = false }: { emergency?: boolean }): Promise<void> {
  const folder = findWorkspace(context.cwd);
  if (!emergency) return await askOperator(context, folder);
  const startedMs = systemClock.elapsed();
  // The latch first: from here on nothing starts, whoever is alive.
  await fileStopLatch(folder.stopLatch).engage("bosun stop --emergency");
  const survivors = await endEverything(folder, systemClock);
  const ms = Math.round(systemClock.elapsed() - startedMs);
  if (survivors.length === 0) {
    context.out(
      `Stopped in ${ms} ms: no session, tool or request is left. All state is kept; \`bosun resume\` goes on.`,
    );
  }
  await declareStopped(context, folder.socket);
  if (survivors.length > 0)
    throw new UserError(`Still alive: ${survivors.join(", ")}. Run it again, or end them by hand.`);
}

/** Asks the operator to end: turns finish and work is saved. */
async function askOperator(context: Context, folder: WorkspaceFolder): Promise<void> {
  const holder = readHolder(folder);
  if (holder === undefined || !(await isAlive(holder))) {
    throw new UserError(
      `No operator of ${folder.repository} runs on this machine. To end what it may have left: bosun stop --emergency`,
    );
  }
  process.kill(holder.pid, "SIGINT");
  context.out(
    `Asked the operator (process ${holder.pid}) to end: turns finish and work is saved. At once: bosun stop --emergency`,
  );
}

/** The operator's own note of which process it is; undefined where there is none. */
function readHolder({ operator }: WorkspaceFolder): ProcessIdentity | undefined {
  const file = path.join(operator, "operator.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
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
