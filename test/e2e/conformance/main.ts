/**
 * Starts a server and runs the conformance runner against it, with the runner's own options; all scenarios by default.
 *
 *     npm run conformance -- --filter apply --messages -v
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { conformanceServer, runner, scenarioFolder } from "./play.ts";

const args = process.argv.slice(2);
const server = await conformanceServer();
const all = [scenarioFolder("http"), scenarioFolder("kubectl")];
const { status } = spawnSync(
  process.execPath,
  [runner, "--kubeconfig", server.kubeconfig, ...args, ...(namesScenarios(args) ? [] : all)],
  { stdio: "inherit" },
);
await server.close();
process.exitCode = status ?? 1;

/** Whether any argument is a file or folder of scenarios, and no option's value. */
function namesScenarios(given: readonly string[]): boolean {
  const valued = [
    "kubectl",
    "filter",
    "topic",
    "json",
    "crds",
    "install-crds",
    "ignore",
    "kind",
    "step-timeout",
  ];
  const options = Object.fromEntries(
    valued.map((name) => [name, { type: "string", multiple: true } as const]),
  );
  const { positionals } = parseArgs({ args: [...given], options, strict: false, allowPositionals: true });
  return positionals.length > 0;
}
