import { defineConfig } from "vitest/config";

/** Whole demos: seconds of work for every core there is, so they come last and one at a time. */
const wholeDemos = "test/e2e/*.test.ts";
const never = ["test/bench/**", "node_modules/**", "hack/demo/library/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "parts",
          include: ["{cmd,controllers,pkg,hack,test}/**/*.test.ts"],
          exclude: [...never, wholeDemos],
          testTimeout: 30_000,
          hookTimeout: 30_000,
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
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
