/** `bosun status`: the whole workspace on one page. */
import type { Context } from "../context.ts";
import { withObjects } from "../operator-client/connect.ts";
import { heedLatch } from "../view/heed-latch.ts";
import { readObjects } from "../view/objects.ts";
import { withRunningCosts } from "../view/running-costs.ts";
import { renderStatus } from "../view/status.ts";

export async function status(context: Context): Promise<void> {
  await withObjects(context, async ({ client, folder }) => {
    const objects = heedLatch(
      await withRunningCosts(await readObjects(client), folder),
      folder,
      context.now(),
    );
    for (const line of renderStatus(objects, context.now(), context.width)) context.out(line);
  });
}
