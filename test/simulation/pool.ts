/** Seeds spread over processes: each worker is handed the next seed when it has done with its last. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome, SimulateOptions } from "./simulate.ts";

/** What a worker is asked to run. */
export type Job = Pick<SimulateOptions, "seed" | "hours" | "faults">;

/** What became of it. */
export type Answer = { seed: number } & ({ outcome: Outcome } | { failure: string });

export interface PoolOptions {
  /** In the order in which they are handed out. */
  jobs: Iterable<Job>;
  workers: number;
  /** Told of each as it ends, in any order. Answers false to hand out no more. */
  onAnswer: (answer: Answer) => boolean;
}

const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
/** A run makes much that lives shortly. Whoever replays a failure gets the whole stack. */
const execArgv = ["--max-semi-space-size=64", "--min-semi-space-size=64", "--stack-trace-limit=3"];

/** Resolves when all have ended. A worker that dies fails the seed it was at, and another takes its place. */
export async function runInPool({ jobs, workers, onAnswer }: PoolOptions): Promise<void> {
  const left = jobs[Symbol.iterator]();
  let goesOn = true;
  const work = async (): Promise<void> => {
    const start = () => fork(worker, [], { execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let child = start();
    let dies = once(child, "exit");
    while (goesOn) {
      const next = left.next();
      if (next.done) break;
      child.send(next.value);
      const answer = await Promise.race([once(child, "message"), dies.then(() => undefined)]);
      if (answer === undefined) {
        child = start();
        dies = once(child, "exit");
      }
      const { seed } = next.value;
      const told = answer?.[0] as Answer | undefined;
      goesOn = onAnswer(told ?? { seed, failure: `Its process died: run seed ${seed} alone.` }) && goesOn;
    }
    child.disconnect();
    await dies;
  };
  await Promise.all(Array.from({ length: workers }, work));
}
