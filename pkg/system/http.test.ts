import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { httpFor } from "./http.ts";

const root = resolve(import.meta.dirname, "../..");

test.each([
  "pkg/gateway/process.ts",
  "pkg/rehearsal/rehearsal.ts",
  "cmd/bosun/operator/operator.ts",
  "cmd/bosun/commands/status.ts",
])("%s brings no fetch along", async (module) => {
  const script = `await import(${JSON.stringify(pathToFileURL(join(root, module)).href)});
    console.log(process.moduleLoadList.filter((name) => name.includes("undici")).join() || "none");
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  expect(stdout.trim()).toBe("none");
});

test("TLS is spoken where the address says so, and nowhere else", () => {
  const { protocol: plain } = new (httpFor(new URL("http://127.0.0.1")).Agent)() as unknown as {
    protocol: string;
  };
  const { protocol: secure } = new (httpFor(new URL("https://127.0.0.1")).Agent)() as unknown as {
    protocol: string;
  };
  expect([plain, secure]).toEqual(["http:", "https:"]);
});
