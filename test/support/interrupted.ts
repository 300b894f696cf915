/** What commands that start operators owe to whoever interrupts them. */
import { constants } from "node:os";

/** Undoes what is under way before this process ends: operators have groups of their own, which a Ctrl-C does not reach. */
export function whenInterrupted(undo: () => Promise<void>): void {
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      // npm passes on what the terminal has sent to the whole group already: it comes twice.
      if (interrupted) return;
      interrupted = true;
      console.log("Interrupted: what it started is ended.");
      undo()
        .catch((error: unknown) => console.error(error))
        .finally(() => process.exit(128 + constants.signals[signal]));
    });
}
