import { availableParallelism } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";

/** Whole demos: seconds of work for every core there is, so they come last. */
const wholeDemos = "test/e2e/*.test.ts";
/**
 * The operator or the API server as a process, on small repositories or under fuzzing: a process for every core there is,
 * so they come after the parts.
 */
const operators = ["test/e2e/{operator,stop,owner}/*.test.ts", "test/fuzz/*.test.ts"];
/** What changes the environment that all share, or counts processes and what they leave: a process for each file. */
const apart = [
  "pkg/{git,sandbox,session,system}/**/*.test.ts",
  "test/{bench,cluster,e2e,editor,fuzz,integration,mutations,soak}/**/*.test.ts",
  "hack/**/*.test.ts",
];
/** A thousand seeds: every core for minutes, so it comes when nothing is measured by the clock. */
const seeds = "test/simulation/simulation.test.ts";
const never = ["node_modules/**", "hack/demo/library/**"];
/** What is waited for comes when it comes; vitest's own second is too little for real processes on a busy machine. */
const expectation = { poll: { timeout: 20_000 } };
/**
 * What tests compile and keep stays in the checkout and goes with its packages: each copy of Bosun that they make is code of its
 * own, which a person's cache would keep for a month.
 */
const env = { XDG_CACHE_HOME: path.join(import.meta.dirname, "node_modules/.cache/tests") };
/** Has what starts operators take the built package: what people install, and half the work of the sources. */
const asInstalled = "test/support/bosun-command.ts";
/** Files at once. What starts processes of its own waits for them most of the time. */
const maxWorkers = Math.max(2, availableParallelism());

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "parts",
          include: ["{cmd,controllers,pkg,test}/**/*.test.ts"],
          exclude: [...never, wholeDemos, ...operators, seeds, ...apart],
          maxWorkers,
          // Most files take a second to load what they test and none to test it: it is loaded once for all of a worker.
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
          restoreMocks: true,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          env,
          expect: expectation,
        },
      },
      {
        test: {
          name: "apart",
          include: apart,
          exclude: [...never, wholeDemos, ...operators],
          maxWorkers,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          env,
          expect: expectation,
        },
      },
      {
        test: {
          name: "seeds",
          include: [seeds],
          exclude: never,
          maxWorkers,
          env,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "operators",
          globalSetup: asInstalled,
          include: operators,
          exclude: never,
          testTimeout: 180_000,
          env,
          hookTimeout: 60_000,
          expect: expectation,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "demos",
          globalSetup: asInstalled,
          include: [wholeDemos],
          exclude: never,
          testTimeout: 600_000,
          env,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
