/** Why an operator that holds the folder no longer ends. */
import { existsSync } from "node:fs";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** Another one holds it, or nobody does: the folder that says who is gone. */
export function takenOver({ operator }: WorkspaceFolder): UserError {
  if (!existsSync(operator))
    return new UserError(
      `${operator} was removed while the operator ran, and with it the status of all objects and the ledger. This one ends; ` +
        "sessions do so too. If you moved it, `bosun up` goes on where it is now. Otherwise put the folder back, or `bosun up` " +
        "begins anew from the YAML.",
    );
  return new UserError(
    "Another operator has taken over this workspace, as happens when one was suspended. This one ends, and has changed " +
      "nothing since. `bosun status` shows what the other does.",
  );
}
