import { expect, test } from "vitest";
import type { KubeObject } from "../../pkg/api/meta.ts";
import type { SessionObservation, SessionReport } from "../../pkg/session/sessions.ts";
import type { Deps } from "../deps.ts";
import {
  aBudget,
  aClaim,
  anAgent,
  aProject,
  aReview,
  aWorkspace,
  condition,
  NOW,
} from "../testing/objects.ts";
import { observe } from "./observe.ts";

/** A world that holds these objects, in which the agent's session is seen so. */
function depsOf(
  objects: readonly KubeObject[],
  { session, isLatched = false }: { session?: SessionObservation; isLatched?: boolean } = {},
): Deps {
  const client = {
    get: async (kind: string, { name }: { name: string }) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name),
    list: async (kind: string) => ({ items: objects.filter((object) => object.kind === kind) }),
  };
  const seen = session ?? { is: "absent", report: undefined };
  const world = {
    client,
    clock: { now: () => NOW },
    namespace: "default",
    sessions: { find: async () => seen },
    latch: { engaged: async () => isLatched },
    money: { usageLimits: async () => [] },
  };
  return world as unknown as Deps;
}

const report: SessionReport = {
  ...{ run: 1, turns: 3, liveSeconds: 60, lastActivityMs: NOW, heartbeatMs: NOW, tasksDone: [], busy: false },
};
const finished: SessionReport = { ...report, outcome: { kind: "Finished", summary: "Done.", evidence: [] } };
const agent = anAgent({ session: { id: "s1", run: 1 } });
const others = [aWorkspace({}, { conditions: [condition("BaselinePassing", "True")] }), aBudget()];

test.each([
  { what: "a Project that the claim says is its own", holds: true, claim: {} },
  { what: "a Project of an agent that had its name before", holds: false, claim: { agentUID: "before" } },
  {
    what: "a Project of another agent",
    holds: false,
    claim: { agent: "agent-2", agentUID: "uid-of-agent-2" },
  },
])("an agent has $what in hand: $holds", async ({ holds, claim }) => {
  const project = aProject({ claim: aClaim(claim) });
  const { work } = await observe(agent, depsOf([...others, project]));
  expect(work?.project?.metadata.name).toBe(holds ? "retry" : undefined);
});

test.each([
  { what: "a Review that the claim says is its own", holds: true, status: {} },
  { what: "a Review of an agent that had its name before", holds: false, status: { agentUID: "before" } },
  { what: "a Review of another agent", holds: false, status: { agent: "agent-2" } },
])("a reviewer has $what in hand: $holds", async ({ holds, status }) => {
  const claim = { agent: "agent-1", agentUID: "uid-of-agent-1", number: 1, session: "s1", ...status };
  const review = aReview({ state: "Reviewing", claim });
  const { work } = await observe(anAgent({}, { role: "Review" }), depsOf([...others, review, aProject()]));
  expect(work?.kind).toBe(holds ? "Review" : undefined);
});

test.each<{ what: string; isLatched: boolean; session: SessionObservation; hold: string | undefined }>([
  { what: "without a word", isLatched: true, session: { is: "absent", report }, hold: "Stopped" },
  { what: "without a word", isLatched: false, session: { is: "absent", report }, hold: undefined },
  // What it has to hand over is handed over: no session is needed for that.
  { what: "with its outcome", isLatched: true, session: { is: "absent", report: finished }, hold: undefined },
])(
  "a session that ended $what, the latch engaged: $isLatched, before the mode says so, is held: $hold",
  async (row) => {
    const project = aProject({ claim: aClaim() });
    const { hold } = await observe(agent, depsOf([...others, project], row));
    expect(hold?.reason).toBe(row.hold);
  },
);

test("a session that never began is not held by the latch: it is refused where it is started", async () => {
  const project = aProject({ claim: aClaim() });
  const { hold } = await observe(anAgent(), depsOf([...others, project], { isLatched: true }));
  expect(hold).toBeUndefined();
});
