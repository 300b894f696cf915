import { defineConfig } from "vitest/config";

/** Whole demos: seconds of work for every core there is, so they come last and one at a time. */
const wholeDemos = "test/e2e/*.test.ts";
/** The operator as a process, on small repositories: a process for every core there is, so they come after the parts. */
const operators = "test/e2e/operator/*.test.ts";
const never = ["test/bench/**", "node_modules/**", "hack/demo/library/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "parts",
          include: ["{cmd,controllers,pkg,hack,test}/**/*.test.ts"],
          exclude: [...never, wholeDemos, operators],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "operators",
          include: [operators],
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "demos",
          include: [wholeDemos],
          exclude: never,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
