/** One kit on one server: objects that wait for a status, then a storm of edits. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { stringify } from "yaml";
import type { Api } from "../../support/api.ts";
import { measure, timing } from "../apiserver/measure.ts";
import { probe } from "../apiserver/probe.ts";
import { follow } from "./follow.ts";
import { isReconciled, probesOf } from "./probe-kind.ts";

export interface Kit {
  name: string;
  /** A program that reconciles probes of $NAMESPACE at $KUBECONFIG until it is ended. */
  file: string;
}

export interface KitFigures {
  /** From the kit's start until all objects had their status. */
  perSecond: number;
  /** From a write's answer until a watch showed the status made from it, in milliseconds. */
  editP50: number;
  editP99: number;
  requests: number;
  /** The most that it had resident, in MB. */
  memoryMb: number;
}

export interface Where {
  api: Api;
  kubeconfig: string;
  context: string | undefined;
  objects: number;
  edits: number;
}

/** Measures `kit` in a namespace of its own, which is removed. */
export async function measureKit(
  kit: Kit,
  { api, kubeconfig, context, objects, edits }: Where,
): Promise<KitFigures> {
  // Another one each time: one that is being removed takes nothing.
  const namespace = `bench-${kit.name.replaceAll(/[^a-z0-9]+/g, "-")}-${randomBytes(3).toString("hex")}`;
  const probes = probesOf(namespace);
  await api.send("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  const names = Array.from({ length: objects }, (_, index) => `probe-${index}`);
  await measure({ count: objects, concurrency: 32 }, async (index) => {
    await expectOk(await api.send("POST", probes, probe(names[index] ?? "")));
  });

  const folder = mkdtempSync(path.join(tmpdir(), "bosun-bench-"));
  const proxy = fork(path.join(import.meta.dirname, "counting-proxy.ts"), [kubeconfig, context ?? ""]);
  const [{ port }] = (await once(proxy, "message")) as [{ port: number }];
  const file = path.join(folder, "kubeconfig");
  writeFileSync(file, stringify(kubeconfigOf(port, namespace)));
  const seen = new Map<string, { generation: number; atMs: number }>();
  const waiting = new Set<() => void>();
  const listed = JSON.parse((await api.send("GET", `${probes}?limit=1`)).text);
  const from = { path: probes, revision: listed.metadata.resourceVersion };
  const following = await follow(api, from, (object) => {
    if (!isReconciled(object)) return;
    seen.set(object.metadata.name, { generation: object.metadata.generation, atMs: performance.now() });
    for (const look of waiting) look();
  });
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });

  const startedMs = performance.now();
  const child = spawn(process.execPath, [kit.file], {
    env: { ...process.env, KUBECONFIG: file, NAMESPACE: namespace },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const failure = Promise.race([failed(child), following.failure]);
  // Its end is awaited below; an end by us is none.
  failure.catch(() => {});
  try {
    await Promise.race([until(() => seen.size === objects), failure]);
    const perSecond = (objects / (performance.now() - startedMs)) * 1000;

    const tookMs: number[] = [];
    await measure({ count: edits, concurrency: 32 }, async (index) => {
      const name = names[(index * 7919) % objects] ?? "";
      const sentMs = performance.now();
      const patch = { spec: { priority: 1 + (index % 99), title: `Edit ${index}` } };
      const answer = await api.send("PATCH", `${probes}/${name}`, patch, "application/merge-patch+json");
      await expectOk(answer);
      const { generation } = JSON.parse(answer.text).metadata;
      await Promise.race([until(() => (seen.get(name)?.generation ?? 0) >= generation), failure]);
      tookMs.push((seen.get(name)?.atMs ?? Number.NaN) - sentMs);
    });
    const { p50, p99 } = timing(tookMs, 1);
    proxy.send("count");
    const [{ requests }] = (await once(proxy, "message")) as [{ requests: number }];
    return { perSecond, editP50: p50, editP99: p99, requests, memoryMb: peakMb(child) };
  } finally {
    following.close();
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    proxy.disconnect();
    rmSync(folder, { recursive: true });
    await empty(api, probes);
    await api.send("DELETE", `/api/v1/namespaces/${namespace}`);
  }
}

/** A server takes a minute at most for one request, and thousands of deletions may need more. */
async function empty(api: Api, probes: string): Promise<void> {
  while (JSON.parse((await api.send("GET", `${probes}?limit=1`)).text).items.length > 0)
    await api.send("DELETE", probes).catch(() => {
      // The minute was over: the server hangs up, and the next round goes on where it was.
    });
}

async function failed(child: ChildProcess): Promise<never> {
  const [code, signal] = await once(child, "exit");
  throw new Error(`The kit ended with ${code ?? signal}.`);
}

function peakMb(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

async function expectOk({ status, text }: { status: number; text: string }): Promise<void> {
  if (status >= 300) throw new Error(`The server answered ${status}: ${text.slice(0, 300)}`);
}

function kubeconfigOf(port: number, namespace: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [
      { name: "bench", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "bench", user: {} }],
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench", namespace } }],
  };
}
