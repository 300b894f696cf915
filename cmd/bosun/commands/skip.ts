/** `bosun skip PROJECT`, and `--undo`. */
import { SETTLED_PHASES } from "../../../pkg/api/phases.ts";
import type { Context } from "../context.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";

/** @throws UserError when the Project has come to its end: to skip it would change nothing */
export async function skip(
  context: Context,
  project: string,
  { undo = false }: { undo?: boolean },
): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { status } = await need(client, "Project", project);
    const phase = status?.phase;
    const hasEnded = phase !== undefined && phase !== "Skipped" && SETTLED_PHASES.has(phase);
    if (hasEnded && !undo)
      throw new UserError(`${project} is ${phase}: there is nothing left to skip. \`bosun why ${project}\``);
    await client.patch("Project", { namespace: client.namespace, name: project }, { spec: { skip: !undo } });
    if (!undo)
      context.out(
        `${project} is skipped; work in hand stays on its branch. \`bosun skip ${project} --undo\` brings it back.`,
      );
    else if (hasEnded) context.out(`${project} is not marked to be skipped any more; it stays ${phase}.`);
    else context.out(`${project} is back in the queue.`);
  });
}
