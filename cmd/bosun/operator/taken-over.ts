/** Why an operator that holds the folder no longer ends. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../user-error.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

/** Another one holds it, or nobody does: what says who is gone. Throws nothing: an operator has to end by it. */
export function takenOver({ operator }: WorkspaceFolder): UserError {
  if (!existsSync(operator))
    return new UserError(
      `${operator} was removed while the operator ran, and with it the status of all objects and the ledger. This one ends; ` +
        "sessions do so too. If you moved it, `bosun up` goes on where it is now. Otherwise put the folder back, or `bosun up` " +
        "begins anew from the YAML.",
    );
  const lock = path.join(operator, "lock");
  const holders = holdersIn(lock);
  if (holders === undefined)
    return new UserError(
      `Another operator has taken over this workspace, or ${lock} was damaged: it can't be read. This one ends, and has ` +
        "changed nothing since. All state is kept: `bosun status` shows whether another runs, else `bosun up` goes on.",
    );
  if (holders.length === 0)
    return new UserError(
      `${lock}, which keeps a second operator away, was removed while this one ran. It ends, and has changed nothing since. ` +
        "All state is kept: `bosun up` goes on where it was, and with the sessions that still run.",
    );
  return new UserError(
    "Another operator has taken over this workspace, as happens when one was suspended. This one ends, and has changed " +
      "nothing since. `bosun status` shows what the other does.",
  );
}

/** None where there is no such folder; undefined where it can't be read just then. */
function holdersIn(lock: string): string[] | undefined {
  try {
    return readdirSync(lock).filter((name) => name.endsWith(".json"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : undefined;
  }
}
