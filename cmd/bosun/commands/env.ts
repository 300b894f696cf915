/** `bosun env`: what a shell evaluates so that kubectl and other clients find this workspace. */
import type { Context } from "../context.ts";
import { isOperatorListening } from "../operator-client/listening.ts";
import { findWorkspace } from "../workspace-folder.ts";

export async function env({ cwd, out, note }: Context): Promise<void> {
  const folder = findWorkspace(cwd);
  out(`export KUBECONFIG=${quoted(folder.kubeconfig)}`);
  if (!(await isOperatorListening(folder)))
    note("No operator is running: kubectl reaches this workspace once `bosun up` runs.");
}

/** One word for every POSIX shell, and for fish. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
