/**
 * The demo: a scratch repository with a small library, six declared projects, three agents, one reviewer, a Budget,
 * and the whole loop on it, offline. `node hack/demo/main.ts [FOLDER]`; without a folder it makes one in the
 * temporary folder. `--kubeconfig FILE [--context NAME]`: declared and observed in that cluster, in a new namespace.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { moveIntoCluster } from "./cluster.ts";
import { demoIn, prepare } from "./prepare.ts";
import { summarize } from "./summary.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kubeconfig: { type: "string" }, context: { type: "string" } },
});
const [folder] = positionals;
const demo = demoIn(
  folder === undefined ? mkdtempSync(path.join(tmpdir(), "bosun-demo-")) : path.resolve(folder),
);
if (!existsSync(demo.repository)) {
  prepare(demo);
  if (values.kubeconfig !== undefined || values.context !== undefined) {
    const namespace = await moveIntoCluster(demo, {
      ...(values.kubeconfig === undefined ? {} : { file: path.resolve(values.kubeconfig) }),
      ...(values.context === undefined ? {} : { context: values.context }),
    });
    console.log(`Its Projects, agents and reviews lie in namespace ${namespace} of the cluster.`);
  }
}
console.log(
  `The demo's repository is ${demo.repository}. The model is a rehearsal: it is played, and costs nothing.\n`,
);
const operator = spawn(process.execPath, demo.operator, {
  cwd: demo.repository,
  env: { ...process.env, ...demo.env },
  stdio: "inherit",
});
// Ctrl-C reaches the operator by itself, and the demo waits for it to save; a SIGTERM is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => operator.kill("SIGTERM"));
const [code] = (await once(operator, "exit")) as [number | null];
if (code !== 0) process.exit(code ?? 1);
process.exitCode = await summarize(demo);
