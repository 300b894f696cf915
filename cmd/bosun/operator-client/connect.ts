/** How commands reach objects: the running operator, or what its log last said. */
import type { Context } from "../context.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace, type WorkspaceFolder } from "../workspace-folder.ts";
import { NoOperatorError, type OperatorClient, type Reader, socketClient } from "./socket-client.ts";

export interface Connection<C> {
  client: C;
  folder: WorkspaceFolder;
}

/**
 * Runs `work` on the running operator.
 *
 * @throws UserError that says what to do when no operator runs
 */
export async function withOperator<T>(
  { cwd }: Pick<Context, "cwd">,
  work: (connection: Connection<OperatorClient>) => Promise<T>,
): Promise<T> {
  const folder = findWorkspace(cwd);
  try {
    return await work({ client: socketClient(folder.socket), folder });
  } catch (error) {
    if (!(error instanceof NoOperatorError)) throw error;
    throw new UserError(
      `No operator is running in ${folder.repository}, so no object was changed. Start one with \`bosun up\`, or edit the YAML in ${folder.path}: the next one reads it.`,
      { cause: error },
    );
  }
}

/** Runs `read` on the running operator, else on the last known state, which it then says. */
export async function withObjects<T>(
  context: Pick<Context, "cwd" | "note">,
  read: (connection: Connection<Reader> & { live: boolean }) => Promise<T>,
): Promise<T> {
  const folder = findWorkspace(context.cwd);
  try {
    return await read({ client: socketClient(folder.socket), folder, live: true });
  } catch (error) {
    if (!(error instanceof NoOperatorError)) throw error;
  }
  const { lastKnown } = await import("./last-known.ts");
  const client = await lastKnown(folder.log);
  if (client === undefined) {
    throw new UserError(
      `No operator has run in ${folder.repository} yet. Start one with \`bosun up\` or \`bosun up --rehearse\`.`,
    );
  }
  context.note("No operator is running; last known state.");
  return await read({ client, folder, live: false });
}
