/** `bosun env`: what a shell evaluates so that kubectl and other clients find this workspace. */
import { shellWord } from "../../../pkg/system/shell-word.ts";
import type { Context } from "../context.ts";
import { isOperatorListening } from "../operator-client/listening.ts";
import { whyUnheard } from "../operator-client/unheard.ts";
import { findWorkspace } from "../workspace-folder.ts";

export async function env({ cwd, out, note }: Context): Promise<void> {
  const folder = findWorkspace(cwd);
  out(`export KUBECONFIG=${shellWord(folder.kubeconfig)}`);
  if (!(await isOperatorListening(folder)))
    note(
      (await whyUnheard(folder)) ??
        "No operator is running: kubectl reaches this workspace once `bosun up` runs.",
    );
}
