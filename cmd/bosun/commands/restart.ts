/** `bosun restart AGENT`. */
import { timestamp } from "../../../pkg/runtime/clock.ts";
import type { Context } from "../context.ts";
import { NAMESPACE, need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";

export async function restart(context: Context, agent: string): Promise<void> {
  await withOperator(context, async ({ client }) => {
    await need(client, "Agent", agent);
    const restartedAt = timestamp(context.now());
    await client.patch("Agent", { namespace: NAMESPACE, name: agent }, { spec: { restartedAt } });
    context.out(`${agent} gets a new session host and resumes its transcript.`);
  });
}
