import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{cmd,controllers,pkg,hack,test}/**/*.test.ts"],
    exclude: ["test/bench/**", "node_modules/**", "hack/demo/library/**"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
