/** `bosun skip PROJECT`, and `--undo`. */
import type { Context } from "../context.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";

export async function skip(
  context: Context,
  project: string,
  { undo = false }: { undo?: boolean },
): Promise<void> {
  await withOperator(context, async ({ client }) => {
    await need(client, "Project", project);
    await client.patch("Project", { namespace: client.namespace, name: project }, { spec: { skip: !undo } });
    context.out(
      undo
        ? `${project} is back in the queue.`
        : `${project} is skipped; work in hand stays on its branch. \`bosun skip ${project} --undo\` brings it back.`,
    );
  });
}
