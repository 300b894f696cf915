/** `bosun status`: the whole workspace on one page. */
import type { Context } from "../context.ts";
import { withObjects } from "../operator-client/connect.ts";
import { readObjects } from "../view/objects.ts";
import { renderStatus } from "../view/status.ts";

export async function status(context: Context): Promise<void> {
  await withObjects(context, async ({ client }) => {
    const objects = await readObjects(client);
    for (const line of renderStatus(objects, context.now(), context.width)) context.out(line);
  });
}
