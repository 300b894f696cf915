/**
 * Measures the runtime of cluster mode beside other kits for operators in Node, on one server in one run: objects that
 * get a status, then a storm of edits.
 *
 *     npm run bench:cluster                          on an API server of ours
 *     npm run bench:cluster -- --kubeconfig F        on that cluster; the kind probes.bench.bosun.dev is put into it
 *     npm run bench:cluster -- --objects 1000 --edits 200
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { whenInterrupted } from "../support/interrupted.ts";
import { apiOf, serve } from "../support/real-cluster.ts";
import { definition } from "./apiserver/probe.ts";
import { ownServer } from "./apiserver/target.ts";
import { type Kit, type KitFigures, measureKit } from "./cluster/measure-kit.ts";

const { values } = parseArgs({
  options: {
    kubeconfig: { type: "string" },
    context: { type: "string" },
    objects: { type: "string", default: "10000" },
    edits: { type: "string", default: "1000" },
  },
});
const folder = path.join(import.meta.dirname, "cluster");
const kits: readonly Kit[] = [
  { name: "bosun", file: path.join(folder, "kits/bosun.ts") },
  { name: "client-node 2.0.1 informer", file: path.join(folder, "kits/client-node.ts") },
  { name: "k8s-operator 1.3.9", file: path.join(folder, "k8s-operator/main.mjs") },
];
// It stands on an older client, so what it needs lies in a folder of its own.
const others = path.join(folder, "k8s-operator");
if (!existsSync(path.join(others, "node_modules")))
  execFileSync("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: others, stdio: "inherit" });

const own = values.kubeconfig === undefined ? await ownServer() : undefined;
const kubeconfig = values.kubeconfig ?? own?.kubeconfig ?? "";
const context = values.context === undefined ? {} : { context: values.context };
const api = own?.api ?? (await apiOf({ file: kubeconfig, ...context }));
whenInterrupted(async () => {
  api.close();
  await own?.close();
});
try {
  await serve(api, definition());
  const where = {
    api,
    kubeconfig,
    context: values.context,
    objects: Number(values.objects),
    edits: Number(values.edits),
  };
  console.log(`${values.objects} objects, then ${values.edits} edits, 32 at once.`);
  console.log(row("", ["objects/s", "edit p50 ms", "edit p99 ms", "requests", "peak MB"]));
  for (const kit of kits) {
    const measured = await measureKit(kit, where).catch((error: Error) => error);
    console.log(
      measured instanceof Error
        ? `${kit.name.padEnd(28)}failed: ${measured.message}`
        : row(kit.name, figures(measured)),
    );
  }
} finally {
  api.close();
  await own?.close();
}

function figures({ perSecond, editP50, editP99, requests, memoryMb }: KitFigures): string[] {
  return [
    perSecond.toFixed(0),
    editP50.toFixed(1),
    editP99.toFixed(1),
    String(requests),
    memoryMb.toFixed(0),
  ];
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(13)).join("");
}
