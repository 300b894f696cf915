/** `bosun scale POOL N`. */
import { AGENTS_MAX } from "../../../pkg/api/names.ts";
import type { Context } from "../context.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";

export async function scale(context: Context, pool: string, count: string): Promise<void> {
  const replicas = /^\d+$/.test(count) ? Number(count) : Number.NaN;
  if (!(replicas <= AGENTS_MAX)) {
    throw new UserError(`N must be a whole number from 0 to ${AGENTS_MAX}, not "${count}".`, { exitCode: 2 });
  }
  await withOperator(context, async ({ client }) => {
    const { spec } = await need(client, "AgentPool", pool);
    await client.patch("AgentPool", { namespace: client.namespace, name: pool }, { spec: { replicas } });
    context.out(`Pool ${pool}: ${spec.replicas} -> ${replicas} agents.`);
    if (replicas < spec.replicas)
      context.out("Idle agents go first; an agent with work saves it before it goes.");
  });
}
