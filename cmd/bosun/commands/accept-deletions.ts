/** `bosun accept-deletions`: what was missing from the files, and kept, is deleted after all. */
import type { Context } from "../context.ts";
import { theWorkspace } from "../objects.ts";
import { ACCEPTED_ANNOTATION } from "../operator/accepted-deletions.ts";
import { withOperator } from "../operator-client/connect.ts";

export async function acceptDeletions(context: Context): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { metadata } = await theWorkspace(client);
    const annotations = { [ACCEPTED_ANNOTATION]: new Date(context.now()).toISOString() };
    await client.patch(
      "Workspace",
      { namespace: client.namespace, name: metadata.name },
      { metadata: { annotations } },
    );
    context.out(
      "Accepted: objects that are in no file any more are deleted. `bosun get events` tells which.",
    );
  });
}
