/** A process of the pool: runs the seeds that it is sent, and ends with its parent. */
import type { Answer, Job } from "./pool.ts";
import { simulate } from "./simulate.ts";

// Ctrl-C goes to the whole group: what runs is to come to its end, and the parent says when there is no more.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.once("disconnect", () => process.exit());

process.on("message", async (job: Job) => {
  process.send?.(await answer(job), () => {
    // A parent that is gone has nobody who wants to know.
  });
});

async function answer(job: Job): Promise<Answer> {
  const { seed } = job;
  try {
    return { seed, outcome: await simulate(job) };
  } catch (error) {
    return { seed, failure: error instanceof Error ? error.message : String(error) };
  }
}
