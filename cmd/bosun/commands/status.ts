/** `bosun status`: the whole workspace on one page. */
import type { Context } from "../context.ts";
import { withObjects } from "../operator-client/connect.ts";
import { readRefusedEdits } from "../refused-edits.ts";
import { heedLatch } from "../view/heed-latch.ts";
import { withLastActivity } from "../view/last-activity.ts";
import { withMoneyNow } from "../view/money-now.ts";
import { readObjects } from "../view/objects.ts";
import { renderStatus } from "../view/status.ts";

export async function status(context: Context): Promise<void> {
  await withObjects(context, async ({ client, folder }) => {
    const told = await withMoneyNow(await readObjects(client), folder);
    const running = { ...told, agents: withLastActivity(told.agents, folder) };
    const objects = heedLatch(running, folder, context.now());
    for (const line of renderStatus(objects, context.now(), context.width)) context.out(line);
    const refused = readRefusedEdits(folder);
    if (refused.length > 0) context.out("");
    for (const message of refused) context.out(`Warning: ${message}`);
  });
}
