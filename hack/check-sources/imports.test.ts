import { expect, test } from "vitest";
import { objection } from "./imports.ts";

test.each([
  ["pkg/git/refs.ts", "controllers/agent/decide.ts"],
  ["controllers/agent/controller.ts", "cmd/bosun/main.ts"],
  ["controllers/agent/controller.ts", "controllers/project/decide.ts"],
  ["controllers/agent/act.ts", "node:fs"],
  ["controllers/agent/act.ts", "yaml"],
  ["pkg/runtime/queue.ts", "node:timers/promises"],
  ["pkg/runtime/queue.ts", "pkg/registry/registry.ts"],
  ["pkg/api/meta.ts", "pkg/runtime/clock.ts"],
  ["pkg/storage/log/log.ts", "pkg/registry/registry.ts"],
  ["pkg/registry/registry.ts", "pkg/apiserver/server.ts"],
  ["pkg/registry/registry.ts", "pkg/session/sessions.ts"],
  ["pkg/session/host.ts", "pkg/cluster/client.ts"],
  ["pkg/session/host.ts", "test/simulation/world.ts"],
  ["pkg/gateway/gateway.ts", "pkg/gateway/testing/clock.ts"],
])("%s may not import %s", (from, to) => {
  expect(objection({ from, to, typeOnly: false })).toEqual(expect.stringMatching(/\.$/));
});

test.each([
  ["controllers/agent/controller.ts", "controllers/agent/decide.ts"],
  ["controllers/agent/controller.ts", "pkg/runtime/controller.ts"],
  ["cmd/bosun/main.ts", "controllers/agent/controller.ts"],
  ["cmd/bosun/main.ts", "pkg/cluster/client.ts"],
  ["pkg/apiserver/server.ts", "pkg/registry/registry.ts"],
  ["pkg/registry/registry.ts", "pkg/storage/storage.ts"],
  ["pkg/session/host.ts", "node:child_process"],
])("%s may import %s", (from, to) => {
  expect(objection({ from, to, typeOnly: false })).toBeUndefined();
});
