/** `bosun apiserver` as a process on the conformance definitions and an empty folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../../..");

export interface ConformanceServer extends AsyncDisposable {
  readonly kubeconfig: string;
}

/** No garbage collector runs: none did where the expectations were recorded. */
export async function startServer(): Promise<ConformanceServer> {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-conformance-"));
  const kubeconfig = path.join(folder, "kubeconfig");
  const child = spawn(
    process.execPath,
    [
      path.join(root, "bin/bosun.mjs"),
      "apiserver",
      "--garbage-collector=off",
      "--crd-dir",
      path.join(root, "test/conformance/crds"),
      "--data-dir",
      path.join(folder, "data"),
      "--kubeconfig-out",
      kubeconfig,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  while (!output.includes("Kubeconfig: ")) {
    await Promise.race([once(child.stdout, "data"), exited]);
    if (child.exitCode !== null) throw new Error(`bosun apiserver ended with ${child.exitCode}.`);
  }
  return {
    kubeconfig,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
