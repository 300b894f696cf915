import { availableParallelism } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Whole demos: seconds of work for every core there is. */
const wholeDemos = "test/e2e/*.test.ts";
/** The operator or the API server as a process, on small repositories or under fuzzing. */
const operators = ["test/e2e/{operator,stop,owner}/*.test.ts", "test/fuzz/*.test.ts"];
/** What changes the environment that all share, or counts processes and what they leave: a process for each file. */
const apart = [
  "pkg/{git,sandbox,session,system}/**/*.test.ts",
  "test/{bench,cluster,e2e,editor,fuzz,integration,mutations,soak}/**/*.test.ts",
  "hack/**/*.test.ts",
];
/** Minutes of work that takes what time all others leave, from the first to the last: its processes give way to theirs. */
const seeds = "test/simulation/simulation.test.ts";
/** Minutes each: of what starts operators they begin first, so that no core waits for them in the end. */
const long = ["test/e2e/kill.test.ts", "test/e2e/operator/cluster.test.ts"];
const never = ["node_modules/**", "hack/demo/library/**"];
/** Files at once: one for each core, one more as whoever waits for an operator needs none, and the seeds, whose place the last get. */
const maxWorkers = Math.max(2, availableParallelism()) + 2;
const parts = {
  maxWorkers,
  // What is waited for comes when it comes, on a machine twenty times slower than an idle one too. Too late means never.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
  // What tests compile and keep stays in the checkout and goes with its packages: each copy of Bosun that they make is code of
  // its own, which a person's cache would keep for a month.
  env: { XDG_CACHE_HOME: path.join(import.meta.dirname, "node_modules/.cache/tests") },
};
const wholes = {
  ...parts,
  // Has what starts operators take the built package: what people install, and half the work of the sources.
  globalSetup: "test/support/bosun-command.ts",
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

/** The seeds beside all others; then the parts, as what is wrong with them is told soonest; then what takes minutes. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ["seeds", "parts", "apart", "long", "operators", "demos"];
    const rank = ({ project, moduleId }: TestSpecification): number =>
      order.indexOf(long.includes(path.relative(import.meta.dirname, moduleId)) ? "long" : project.name);
    const known = await super.sort(files);
    return known.toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: InOrder },
    projects: [
      {
        test: {
          ...parts,
          name: "parts",
          include: ["{cmd,controllers,pkg,test}/**/*.test.ts"],
          exclude: [...never, wholeDemos, ...operators, seeds, ...apart],
          // Most files take a second to load what they test and none to test it: it is loaded once for all of a worker.
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
          restoreMocks: true,
        },
      },
      {
        test: { ...parts, name: "apart", include: apart, exclude: [...never, wholeDemos, ...operators] },
      },
      { test: { ...wholes, name: "seeds", include: [seeds], exclude: never } },
      {
        test: {
          ...wholes,
          name: "operators",
          include: operators,
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      { test: { ...wholes, name: "demos", include: [wholeDemos], exclude: never } },
    ],
  },
});
