/** `bosun assign PROJECT AGENT` and `bosun unassign PROJECT`. */
import type { Context } from "../context.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";

export async function assign(context: Context, project: string, agent: string): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { status } = await need(client, "Project", project);
    const { spec } = await need(client, "Agent", agent);
    if (spec.role !== "Execution") {
      throw new UserError(
        `${agent} reviews. Only agents of an execution pool work on projects: \`bosun get agents\`.`,
      );
    }
    await client.patch(
      "Project",
      { namespace: client.namespace, name: project },
      { spec: { assignedAgent: agent } },
    );
    const holder = status?.claim?.agent;
    context.out(`Assigned ${project} to ${agent}.`);
    if (holder !== undefined && holder !== agent) {
      context.out(`${holder} gives it up; ${agent} goes on from its last commit.`);
    }
  });
}

export async function unassign(context: Context, project: string): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { spec, status } = await need(client, "Project", project);
    if (spec.assignedAgent === undefined) {
      const holder = status?.claim?.agent;
      return context.out(
        holder === undefined
          ? `${project} isn't assigned: any agent may claim it.`
          : `${project} isn't assigned; ${holder} claimed it by itself. To take it away: \`bosun assign ${project} AGENT\` or \`bosun skip ${project}\`.`,
      );
    }
    await client.patch(
      "Project",
      { namespace: client.namespace, name: project },
      { spec: { assignedAgent: null } },
    );
    context.out(`${project} is free for any agent.`);
  });
}
