import fc from "fast-check";
import { expect, test } from "vitest";
import type { RequestRecord, RequestState } from "./ledger-state.ts";
import type { Sums } from "./money.ts";
import { type Question, RequestSums } from "./request-sums.ts";

const projects = fc.constantFrom("one", "two");
const agents = fc.constantFrom("agent-1", "agent-2");
const pools = fc.constantFrom("builders", "reviewers");
const states = fc.constantFrom<RequestState>("reserved", "sent", "settled", "unsettled", "released");
const questions: fc.Arbitrary<Question> = fc.record(
  {
    project: projects,
    agent: agents,
    startMs: fc.constantFrom(0, 10),
    endMs: fc.constantFrom(10, 20),
    selector: fc.oneof(fc.constant({}), fc.record({ pool: pools })),
  },
  { requiredKeys: [] },
);
const requests: fc.Arbitrary<RequestRecord> = fc
  .record({ at: fc.nat(19), cost: fc.nat(9), project: projects, agent: agents, pool: pools, state: states })
  .map(({ at, cost, project, agent, pool, state }) => ({
    ...{ id: "r", at, model: "m", state, cost, tokens: 2 * cost },
    payer: { session: "s", run: 1, agent, pool, project, purpose: "execute", labels: { pool } },
    bound: { cost, tokens: 2 * cost, maxTokens: 1, inputTokens: 1 },
  }));
const steps = fc.oneof(
  fc.record({ do: fc.constant("add" as const), request: requests }),
  fc.record({ do: fc.constant("change" as const), which: fc.nat(20), state: states, cost: fc.nat(9) }),
  fc.record({ do: fc.constant("ask" as const), question: questions }),
);

/** The sums over those of `all` that `question` is about, each looked at by itself. */
function sumsOver(all: readonly RequestRecord[], question: Question): Sums {
  const { project, agent, startMs = 0, endMs = 20, selector = {} } = question;
  const counted = all.filter(
    ({ at, payer, state }) =>
      state !== "released" &&
      at >= startMs &&
      at < endMs &&
      [undefined, payer.project].includes(project) &&
      [undefined, payer.agent].includes(agent) &&
      [undefined, payer.pool].includes(selector.pool),
  );
  const isOpen = ({ state }: RequestRecord): boolean => state === "reserved" || state === "sent";
  const sum = (requests: readonly RequestRecord[], of: "cost" | "tokens"): number =>
    requests.reduce((total, one) => total + one[of], 0);
  const [open, ended] = [counted.filter(isOpen), counted.filter((one) => !isOpen(one))];
  return {
    ...{ spent: sum(ended, "cost"), spentTokens: sum(ended, "tokens") },
    ...{ reserved: sum(open, "cost"), reservedTokens: sum(open, "tokens") },
    requests: counted.length,
    unsettled: counted.filter(({ state }) => state === "unsettled").length,
  };
}

test("what is kept is what the requests that a question is about add up to, whatever happened since it was asked for first", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), (history) => {
      const sums = new RequestSums();
      const added: RequestRecord[] = [];
      const asked: Question[] = [];
      for (const step of history) {
        if (step.do === "ask") asked.push(step.question);
        else if (step.do === "add") {
          const request = { ...step.request };
          added.push(request);
          sums.add(request);
        } else {
          const request = added[step.which % Math.max(1, added.length)];
          const { state, cost } = step;
          if (request !== undefined) sums.change(request, () => Object.assign(request, { state, cost }));
        }
        for (const question of asked) expect(sums.of(question)).toEqual(sumsOver(added, question));
      }
    }),
  );
});

test("a question about nothing in particular is about every request", () => {
  const sums = new RequestSums();
  expect(sums.of({})).toMatchObject({ spent: 0, requests: 0 });
  const [first, second] = fc.sample(requests, 2) as [RequestRecord, RequestRecord];
  sums.add({ ...first, state: "settled", cost: 3 });
  sums.add({ ...second, state: "sent", cost: 4 });
  expect(sums.of({})).toMatchObject({ spent: 3, reserved: 4, requests: 2 });
});

test("a sum that was asked for before a thousand other questions goes on counting", () => {
  const sums = new RequestSums();
  const [request] = fc.sample(requests, 1) as [RequestRecord];
  const open = { ...request, state: "sent" as RequestState, cost: 4 };
  sums.add(open);
  expect(sums.of({})).toMatchObject({ spent: 0, reserved: 4 });
  for (let other = 0; other < 1_001; other += 1) sums.of({ session: `s${other}` });
  sums.change(open, () => Object.assign(open, { state: "settled", cost: 3 }));
  expect(sums.of({})).toMatchObject({ spent: 3, reserved: 0 });
});
