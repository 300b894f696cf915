/** Ends sessions that are nobody's: their Agent or its claim was removed by hand, or lost with the objects of a workspace. */
import type { Workspace } from "../../pkg/api/generated.ts";
import type { Deps } from "../deps.ts";

/**
 * A session is begun for a claim, and its Agent ends it before the claim is let go. One that runs and that neither a
 * claim nor an Agent names will be ended by nobody else, and would spend until it comes to its own end. Its checkout is
 * kept.
 */
export async function endOrphans(
  workspace: Workspace,
  { client, namespace, sessions, events }: Pick<Deps, "client" | "namespace" | "sessions" | "events">,
): Promise<void> {
  // Before the objects: whatever runs by then was claimed before.
  const running = await sessions.running();
  if (running.length === 0) return;
  const { items: projects } = await client.list("Project", { namespace });
  const { items: reviews } = await client.list("Review", { namespace });
  const { items: agents } = await client.list("Agent", { namespace });
  const named = new Set([
    ...[...projects, ...reviews].map(({ status }) => status?.claim?.session),
    ...agents.map(({ status }) => status?.session?.id),
  ]);
  for (const { id, agent = "an unknown Agent", pid } of running) {
    if (named.has(id)) continue;
    if (pid === undefined) {
      // It is ended by a stop, and must keep nobody from the others here. An Agent that names one tells of it itself.
      const seen = await sessions.find(id);
      if (seen.is === "unknown")
        events.event(workspace, "Warning", "SessionUnknown", `Session ${id} can't be seen: ${seen.why}`);
      continue;
    }
    await sessions.stop(id, "Now");
    const message = `Session ${id} of ${agent} belonged to no claim any more; it was ended and its checkout kept.`;
    events.event(workspace, "Warning", "ClaimLost", message);
  }
}
