import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compileCache } from "./compile-cache.ts";

test.each([
  [{}, join(homedir(), ".cache/bosun/compiled")],
  [{ XDG_CACHE_HOME: "" }, join(homedir(), ".cache/bosun/compiled")],
  [{ XDG_CACHE_HOME: "/caches" }, "/caches/bosun/compiled"],
  [{ XDG_CACHE_HOME: "/caches", NODE_COMPILE_CACHE: "/elsewhere" }, "/elsewhere"],
])("compiled code is kept in the person's own caches, or where Node is told: %j", (env, wanted) => {
  expect(compileCache(env)).toEqual({ NODE_COMPILE_CACHE: wanted });
});
