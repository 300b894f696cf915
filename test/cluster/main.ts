/**
 * Runs what is tested of cluster mode on a real cluster: the contract of Client, and the operator as a process.
 *
 *     npm run test:cluster -- --kubeconfig F [--context C]    whoever that names: an administrator
 *     npm run test:cluster -- --kubeconfig F --restart '...'  a command that restarts its API server, for one more test
 *     npm run test:cluster -- --image rancher/k3s:TAG         a k3s in a container, which is started and removed
 *
 * It installs Bosun's kinds and roles, and works in namespaces of its own, `bosun-test-...`, that it removes. The
 * contract's two kinds of the group test.example need namespace `default`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startK3s } from "./k3s.ts";

const { values } = parseArgs({
  options: {
    kubeconfig: { type: "string" },
    context: { type: "string" },
    restart: { type: "string" },
    image: { type: "string", default: "rancher/k3s:v1.36.2-k3s1" },
  },
});
const root = path.resolve(import.meta.dirname, "../..");
const files = ["test/integration/cluster-client.test.ts", "test/e2e/operator/cluster.test.ts"];

if (values.kubeconfig !== undefined) process.exitCode = runOn(path.resolve(values.kubeconfig));
else {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-k3s-"));
  const file = path.join(folder, "kubeconfig");
  try {
    const started = await startK3s(values.image, file);
    if (typeof started === "string") {
      console.log(`SKIPPED: nothing was tested on a real cluster, since ${started}.`);
      console.log(
        "Name a cluster: npm run test:cluster -- --kubeconfig FILE; or another image: --image IMAGE.",
      );
    } else {
      process.exitCode = runOn(file);
      await started.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The exit code of the tests. */
function runOn(file: string): number {
  const context = values.context === undefined ? [] : ["--context", values.context];
  const bosun = path.join(root, "bin/bosun.mjs");
  const installed = run([bosun, "install", "--kubeconfig", file, ...context], {});
  if (installed !== 0) return installed;
  return run([path.join(root, "node_modules/vitest/vitest.mjs"), "run", ...files, "-t", "a real cluster"], {
    BOSUN_TEST_KUBECONFIG: file,
    ...(values.context === undefined ? {} : { BOSUN_TEST_CONTEXT: values.context }),
    ...(values.restart === undefined ? {} : { BOSUN_TEST_RESTART: values.restart }),
  });
}

function run(words: readonly string[], env: NodeJS.ProcessEnv): number {
  const { status } = spawnSync(process.execPath, words, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}
