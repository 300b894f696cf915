/** The demo in a cluster: a namespace of its own, into which the prepared workspace is moved. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { isAlreadyExists } from "../../pkg/api/status-error.ts";
import { exchange, readJson } from "../../pkg/cluster/exchange.ts";
import type { ClusterChoice } from "../../pkg/cluster/kubeconfig.ts";
import { readCluster } from "../../pkg/cluster/kubeconfig.ts";
import { systemClock, systemRandom } from "../../pkg/system/system.ts";
import type { Demo } from "./prepare.ts";

const bosun = path.resolve(import.meta.dirname, "../../bin/bosun.mjs");

/** Moves the workspace of `demo` into a new namespace, and gives that namespace's name. */
export async function moveIntoCluster(demo: Demo, choice: ClusterChoice): Promise<string> {
  const namespace = `bosun-demo-${randomBytes(3).toString("hex")}`;
  await createNamespace(choice, namespace);
  const context = choice.context === undefined ? [] : ["--context", choice.context];
  const file = choice.file === undefined ? [] : ["--kubeconfig", choice.file];
  const words = ["import", ...file, ...context, "--namespace", namespace];
  const { status } = spawnSync(process.execPath, [bosun, ...words], {
    cwd: demo.repository,
    env: { ...process.env, ...demo.env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  // It has said why.
  if (status !== 0) process.exit(status ?? 1);
  return namespace;
}

async function createNamespace(choice: ClusterChoice, name: string): Promise<void> {
  const { access } = await readCluster(choice);
  const call = {
    method: "POST",
    path: "/api/v1/namespaces",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
  } as const;
  const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bosun-demo" };
  try {
    await readJson(await exchange(deps, call), call, access);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  } finally {
    access.close();
  }
}
