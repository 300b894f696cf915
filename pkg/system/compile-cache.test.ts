import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compileCache, removeOldCompiled } from "./compile-cache.ts";

test.each([
  [{}, join(homedir(), ".cache/bosun/compiled")],
  [{ XDG_CACHE_HOME: "" }, join(homedir(), ".cache/bosun/compiled")],
  [{ XDG_CACHE_HOME: "/caches" }, "/caches/bosun/compiled"],
  [{ XDG_CACHE_HOME: "/caches", NODE_COMPILE_CACHE: "/elsewhere" }, "/elsewhere"],
])("compiled code is kept in the person's own caches, or where Node is told: %j", (env, wanted) => {
  expect(compileCache(env)).toEqual({ NODE_COMPILE_CACHE: wanted });
});

test("compiled code that nothing was added to for long goes, in Bosun's own folder alone: it was kept for every version", async () => {
  const caches = mkdtempSync(join(tmpdir(), "bosun-compiled-"));
  onTestFinished(() => rmSync(caches, { recursive: true }));
  const nowMs = Date.UTC(2026, 10, 26);
  const put = (folder: string): void => {
    for (const [name, atMs] of [
      ["v22.1.0-x64-1-0", nowMs - 1],
      ["v24.1.0-x64-1-0", nowMs + 1],
    ] as const) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, "main"), "code");
      writeFileSync(join(folder, `${name}.code`), "code");
      for (const entry of [name, `${name}.code`]) utimesSync(join(folder, entry), atMs / 1000, atMs / 1000);
    }
  };
  const own = join(caches, "bosun", "compiled");
  const elsewhere = join(caches, "elsewhere");
  put(own);
  put(elsewhere);
  await removeOldCompiled(nowMs, { XDG_CACHE_HOME: caches, NODE_COMPILE_CACHE: elsewhere });
  expect(readdirSync(own)).toEqual(["v24.1.0-x64-1-0", "v24.1.0-x64-1-0.code"]);
  expect(readdirSync(elsewhere)).toHaveLength(4);
  await removeOldCompiled(nowMs, { XDG_CACHE_HOME: join(caches, "none") });
});

test("what tests compile is kept in the checkout: they left 100,000 files in the person's own cache", () => {
  const { XDG_CACHE_HOME } = process.env;
  expect(compileCache({ XDG_CACHE_HOME }).NODE_COMPILE_CACHE).toMatch(/\/node_modules\/\.cache\/tests\//);
});
