/** A server to measure: one of ours, started as a process of its own, or another one that runs already. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, connect, readKubeconfig } from "../../support/api.ts";
import { crdFile, definition, probes } from "./probe.ts";

export interface Target {
  readonly name: string;
  readonly api: Api;
  /** The file that says how to reach it; of ours alone. */
  readonly kubeconfig?: string;
  /** Resident memory in MB; undefined where the process is not ours to look at. */
  memoryMb(): number | undefined;
  /** Ends the server and starts it again on the same data; gives the milliseconds until it lists. */
  restart(): Promise<number | undefined>;
  close(): Promise<void>;
}

const root = path.resolve(import.meta.dirname, "../../..");

/** `bosun apiserver` on an empty folder. */
export async function ownServer(): Promise<Target> {
  const folder = await mkdtemp(path.join(tmpdir(), "bosun-bench-"));
  const crds = path.join(folder, "crds");
  mkdirSync(crds);
  await copyFile(crdFile, path.join(crds, "probe.yaml"));
  const kubeconfig = path.join(folder, "kubeconfig");
  const data = path.join(folder, "data");
  const args = ["apiserver", "--crd-dir", crds, "--data-dir", data, "--kubeconfig-out", kubeconfig];
  const children = new Set<ChildProcess>();
  let running = await start();

  async function start(): Promise<{ child: ChildProcess; api: Api; startMs: number }> {
    const began = performance.now();
    const child = spawn(process.execPath, [path.join(root, "bin/bosun.mjs"), ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    children.add(child);
    await rm(kubeconfig, { force: true });
    while (!existsSync(kubeconfig)) {
      if (child.exitCode !== null) throw new Error(`bosun apiserver ended with ${child.exitCode}.`);
      await sleep(5);
    }
    const api = connect(readKubeconfig(kubeconfig));
    await served(api);
    return { child, api, startMs: performance.now() - began };
  }

  async function end(): Promise<void> {
    running.api.close();
    if (running.child.exitCode !== null) return;
    const ended = once(running.child, "exit");
    running.child.kill("SIGINT");
    await ended;
  }

  return {
    name: "bosun",
    get api() {
      return running.api;
    },
    kubeconfig,
    memoryMb() {
      const status = readFileSync(`/proc/${running.child.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
    },
    async restart() {
      await end();
      running = await start();
      return running.startMs;
    },
    async close() {
      await end();
      // One that was being started, when it is closed in the middle of that.
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Kubernetes API server that runs already; it is told of the definition. */
export async function otherServer(url: string, token: string | undefined): Promise<Target> {
  const api = connect({ server: url, token, ca: undefined });
  const { status } = await api.send("GET", probes);
  if (status === 404) {
    const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const created = await api.send("POST", crds, definition());
    if (created.status >= 300) throw new Error(`The definition was refused: ${created.text}`);
  }
  await served(api);
  return {
    name: new URL(url).host,
    api,
    memoryMb: () => undefined,
    restart: async () => undefined,
    close: async () => api.close(),
  };
}

async function served(api: Api): Promise<void> {
  for (let left = 2000; ; left -= 1) {
    const answer = await api.send("GET", `${probes}?limit=1`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (left === 0) throw new Error(`The server does not list probes: ${answer?.text ?? "no answer"}`);
    await sleep(5);
  }
}
