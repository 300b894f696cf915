import { expect, test } from "vitest";
import { type Judgement, STANDARDS } from "../sessions.ts";
import { problemsOf } from "./review.ts";

const criteria = [
  { id: "AC-1", text: "one" },
  { id: "AC-10", text: "ten" },
];
const approval: Judgement = {
  verdict: "Approved",
  criteria: criteria.map(({ id }) => ({ id, met: true, evidence: "a.ts:1" })),
  standards: STANDARDS.map((name) => ({ name, met: true, evidence: "Seen." })),
  findings: [],
  feedback: "",
};
const [first, ...others] = approval.criteria;

test.each<[string, Partial<Judgement>, readonly string[]]>([
  ["a whole approval stands", {}, []],
  ["a missing criterion", { criteria: others }, ["The criterion AC-1 is missing."]],
  [
    "a criterion judged twice",
    { criteria: [...approval.criteria, ...others] },
    ["The criterion AC-10 is given more than once."],
  ],
  [
    "an invented criterion",
    { criteria: [...approval.criteria, { id: "AC-2", met: true, evidence: "x" }] },
    ["There is no criterion AC-2."],
  ],
  ["a missing standard", { standards: approval.standards.slice(1) }, ["The standard TestsPass is missing."]],
  [
    "an approval of what is not met",
    { criteria: [{ id: "AC-1", met: false, evidence: "Not there." }, ...others] },
    ["The verdict is Approved, but not met are: AC-1."],
  ],
  [
    "changes requested without a word",
    { verdict: "ChangesRequested", feedback: " " },
    ["ChangesRequested needs feedback that says what has to be done."],
  ],
])("%s", (_name, changes, want) => {
  expect(first).toBeDefined();
  expect(problemsOf({ ...approval, ...changes }, { criteria })).toEqual(want);
});
