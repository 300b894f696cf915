/** What commands that start operators owe to whoever interrupts them. */
import { constants } from "node:os";

/**
 * Undoes what is under way before this process ends: operators have groups of their own, which a Ctrl-C does not reach.
 * Also where nobody reads any more what it prints, as after `| head`.
 */
export function whenInterrupted(undo: () => Promise<void>): void {
  const end = undoing(undo);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => end(signal));
}

/** npm passes on what the terminal has sent to the whole group already: signals so close are one, in milliseconds. */
const oneSignalMs = 1_000;

/**
 * For a run that can be judged at any moment: the first signal asks it to come to its end and to say what came out, one
 * that comes a second later or more undoes what is under way, as above.
 */
export function untilInterrupted(undo: () => Promise<void>): { readonly isAskedToEnd: boolean } {
  const end = undoing(undo);
  let askedMs: number | undefined;
  const ask = (signal: "SIGINT" | "SIGTERM"): void => {
    if (askedMs !== undefined) {
      if (performance.now() - askedMs >= oneSignalMs) end(signal);
      return;
    }
    askedMs = performance.now();
    console.log("Interrupted: what was done until now is judged. Once more ends it at once.");
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ask(signal));
  return {
    get isAskedToEnd() {
      return askedMs !== undefined;
    },
  };
}

function undoing(undo: () => Promise<void>): (signal: "SIGINT" | "SIGTERM" | "SIGPIPE") => void {
  let interrupted = false;
  const end = (signal: "SIGINT" | "SIGTERM" | "SIGPIPE"): void => {
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
  for (const output of [process.stdout, process.stderr]) output.on("error", () => end("SIGPIPE"));
  return end;
}
