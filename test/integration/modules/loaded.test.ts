/** What a command loads: a command that only reads loads little, and without a cluster nobody loads its client. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { startOperator } from "../../../cmd/bosun/testing/operator.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";

const project =
  "{ apiVersion: bosun.dev/v1alpha1, kind: Project, metadata: { name: a }, spec: { title: A } }";

/** The packages and files of ours that Node loads when it runs `args`. */
async function loaded(cwd: string, args: readonly string[]): Promise<{ output: string; modules: string[] }> {
  const file = path.join(cwd, "loaded.txt");
  const child = spawn(process.execPath, ["--import", path.join(import.meta.dirname, "record.mjs"), ...args], {
    cwd,
    env: { PATH: process.env.PATH, BOSUN_LOADED: file },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  await once(child, "close");
  const urls = readFileSync(file, "utf8").trim().split("\n");
  return { output, modules: [...new Set(urls.map(moduleOf))].sort() };
}

/** `yaml`, `@scope/package`, `cmd/bosun/main.ts`, `node:fs`. */
function moduleOf(url: string): string {
  const inPackage = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url)?.[1];
  return inPackage ?? url.replace(`file://${packageRoot()}/`, "");
}

test("`bosun get projects` loads one package, which reads the command line", async () => {
  await using operator = await startOperator(project);
  const bosun = path.join(packageRoot(), "bin/bosun.mjs");
  const { output, modules } = await loaded(operator.folder.repository, [bosun, "get", "projects"]);
  expect(output).toMatch(/^NAME.*\na /);
  const packages = modules.filter(
    (name) => !/^(node:|bin\/|cmd\/|pkg\/)/.test(name) && name.includes("/") === name.startsWith("@"),
  );
  expect(packages).toEqual(["commander"]);
  expect(modules.filter((name) => /^pkg\/(?!api\/|encoding\/|system\/)/.test(name))).toEqual([]);
});

test("what `bosun up` stands on loads no client of a cluster", async () => {
  await using operator = await startOperator(project);
  const entry = path.join(packageRoot(), "cmd/bosun/commands/up.ts");
  const { output, modules } = await loaded(operator.folder.repository, [
    "--input-type=module",
    "-e",
    `import(${JSON.stringify(entry)})`,
  ]);
  expect(output).toBe("");
  expect(modules).toContain("pkg/apiserver/server.ts");
  const clients = modules.filter(
    (name) => name.startsWith("pkg/cluster/") || name.startsWith("@kubernetes/"),
  );
  expect(clients).toEqual([]);
});
