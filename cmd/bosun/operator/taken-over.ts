/** Why an operator that holds the folder no longer ends. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** Another one holds it, or nobody does: what says who is gone. */
export function takenOver({ operator }: WorkspaceFolder): UserError {
  if (!existsSync(operator))
    return new UserError(
      `${operator} was removed while the operator ran, and with it the status of all objects and the ledger. This one ends; ` +
        "sessions do so too. If you moved it, `bosun up` goes on where it is now. Otherwise put the folder back, or `bosun up` " +
        "begins anew from the YAML.",
    );
  const lock = path.join(operator, "lock");
  if (!existsSync(lock) || !readdirSync(lock).some((name) => name.endsWith(".json")))
    return new UserError(
      `${lock}, which keeps a second operator away, was removed while this one ran. It ends, and has changed nothing since. ` +
        "All state is kept: `bosun up` goes on where it was, and with the sessions that still run.",
    );
  return new UserError(
    "Another operator has taken over this workspace, as happens when one was suspended. This one ends, and has changed " +
      "nothing since. `bosun status` shows what the other does.",
  );
}
