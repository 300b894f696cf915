/** `bosun restart AGENT`. */
import { timestamp } from "../../../pkg/runtime/clock.ts";
import type { Context } from "../context.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";

export async function restart(context: Context, agent: string): Promise<void> {
  await withOperator(context, async ({ client }) => {
    await need(client, "Agent", agent);
    const restartedAt = timestamp(context.now());
    await client.patch("Agent", { namespace: client.namespace, name: agent }, { spec: { restartedAt } });
    context.out(`${agent} gets a new session host and resumes its transcript.`);
  });
}
