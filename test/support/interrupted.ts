/** What commands that start operators owe to whoever interrupts them. */
import { constants } from "node:os";

/**
 * Undoes what is under way before this process ends: operators have groups of their own, which a Ctrl-C does not reach.
 * Also where nobody reads any more what it prints, as after `| head`.
 */
export function whenInterrupted(undo: () => Promise<void>): void {
  let interrupted = false;
  const end = (signal: "SIGINT" | "SIGTERM" | "SIGPIPE"): void => {
    // npm passes on what the terminal has sent to the whole group already: it comes twice.
    if (interrupted) return;
    interrupted = true;
    process.on("uncaughtException", () => {
      // What is under way fails as what it needs is ended.
    });
    console.log("Interrupted: what it started is ended.");
    undo()
      .catch((error: unknown) => console.error(error))
      .finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => end(signal));
  for (const output of [process.stdout, process.stderr]) output.on("error", () => end("SIGPIPE"));
}
