import { expect, test } from "vitest";
import type { Agent, Escalation, Project, ProjectPhase, Review } from "../../../pkg/api/generated.ts";
import type { Line, Step } from "../../../pkg/gateway/ledger-lines.ts";
import { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import { reservation, settled } from "../../../pkg/gateway/testing/steps.ts";
import { keptMs, type Needs, owingSessions, type RecordedSession, whyKept } from "./old-sessions.ts";

const nowMs = Date.UTC(2026, 10, 26);
const apiVersion = "bosun.dev/v1alpha1";
const metadata = { name: "retry" };

const ended: RecordedSession = {
  id: "s-1",
  path: "/sessions/s-1",
  spec: { agent: "agent-1", project: "retry", checkout: "/gone" },
  lastMs: nowMs - keptMs,
  hasHost: false,
  hasCheckout: false,
};

const project = (phase: ProjectPhase | undefined, session?: string): Project =>
  ({
    ...{ apiVersion, kind: "Project", metadata, spec: {} },
    status: { phase, ...(session === undefined ? {} : { claim: { session } }) },
  }) as Project;

const none: Needs = {
  ...{ projects: [project("Done")], reviews: [], agents: [], escalations: [] },
  ...{ owing: new Set(), newest: new Set(["s-2"]), nowMs },
};

const agent = { apiVersion, kind: "Agent", metadata, spec: {}, status: { session: { id: "s-1" } } } as Agent;
const review = (state: NonNullable<Review["status"]>["state"]): Review =>
  ({
    ...{ apiVersion, kind: "Review", metadata, spec: {} },
    status: { state, claim: { session: "s-1" } },
  }) as unknown as Review;
const escalation = (state: "Open" | "Resolved" | undefined): Escalation =>
  ({ apiVersion, kind: "Escalation", metadata, spec: { project: "retry" }, status: { state } }) as Escalation;

test.each<{
  when: string;
  session?: Partial<RecordedSession>;
  needs?: Partial<Needs>;
  want: string | undefined;
}>([
  { when: "its Project is done", want: undefined },
  { when: "its Project is abandoned", needs: { projects: [project("Abandoned")] }, want: undefined },
  { when: "its Project was deleted", needs: { projects: [] }, want: undefined },
  { when: "its escalations are resolved", needs: { escalations: [escalation("Resolved")] }, want: undefined },
  { when: "it ended a moment less long ago", session: { lastMs: nowMs - keptMs + 1 }, want: "recent" },
  { when: "the clock was set back", session: { lastMs: nowMs + 1 }, want: "recent" },
  { when: "its spec can't be read", session: { spec: undefined }, want: "unknown whose" },
  { when: "its host was not seen gone", session: { hasHost: true }, want: "may live" },
  { when: "its checkout is there", session: { hasCheckout: true }, want: "has a checkout" },
  ...(["Queued", "Working", "Escalated", "Skipped", undefined] as const).map((phase) => ({
    when: `its Project is ${phase}`,
    needs: { projects: [project(phase)] },
    want: "project is not finished",
  })),
  { when: "an agent has it", needs: { agents: [agent] }, want: "an object names it" },
  { when: "a review has it", needs: { reviews: [review("Reviewing")] }, want: "an object names it" },
  { when: "its review was given up", needs: { reviews: [review("Cancelled")] }, want: undefined },
  { when: "its review is over", needs: { reviews: [review("Settled")] }, want: undefined },
  { when: "a claim has it", needs: { projects: [project("Abandoned", "s-1")] }, want: "an object names it" },
  {
    when: "a person is asked of another Project",
    needs: { escalations: [{ ...escalation("Open"), spec: { project: "other" } } as Escalation] },
    want: undefined,
  },
  { when: "a person is asked", needs: { escalations: [escalation("Open")] }, want: "an escalation is open" },
  {
    when: "a person is about to be asked",
    needs: { escalations: [escalation(undefined)] },
    want: "an escalation is open",
  },
  { when: "what it cost is not known", needs: { owing: new Set(["s-1"]) }, want: "not settled" },
  { when: "it is its agent's newest", needs: { newest: new Set(["s-1"]) }, want: "newest of its agent" },
])(
  "the folder of a session that ended a month ago, when $when: kept because $want",
  ({ session, needs, want }) => {
    expect(whyKept({ ...ended, ...session }, { ...none, ...needs })).toBe(want);
  },
);

test("a session owes as long as one of its requests runs, is not settled, or used more than its bound", () => {
  const state = new LedgerState();
  const append = (step: Step): void => state.apply({ seq: state.seq + 1, at: nowMs, ...step } as Line);
  append({ step: "opened", ledger: "l", version: 1 });
  for (const session of ["paid", "released", "runs", "sent", "unsettled", "violated"])
    append(reservation(session, { session }));
  for (const id of ["paid", "sent", "unsettled", "violated"]) append({ step: "sent", id });
  append(settled("paid"));
  append(settled("violated", { cost: 2_000 }));
  append({ step: "violated", id: "violated", cost: 2_000, bound: 1_000 });
  append({ step: "released", id: "released", why: "no connection" });
  append({ step: "unsettled", id: "unsettled", why: "cut", cost: 1_000, tokens: 300 });
  expect([...owingSessions([state])].sort()).toEqual(["runs", "sent", "unsettled", "violated"]);
});
