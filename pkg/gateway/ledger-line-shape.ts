/** Whether a line that was read has all that sums are made from: without an amount nothing could be compared. Pure. */
import type { Line } from "./ledger-lines.ts";

type Field = "id" | "amount" | "limit" | "time" | "labels" | "text";

const isOf: Readonly<Record<Field, (value: unknown) => boolean>> = {
  id: (value) => typeof value === "string" && value !== "",
  text: (value) => typeof value === "string",
  time: (value) => Number.isFinite(value),
  // Money is counted in whole nano-dollars, and tokens in whole ones.
  amount: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  limit: (value) => value === null || (Number.isFinite(value) && Number(value) >= 0),
  labels: (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((label) => typeof label === "string"),
};

const shapes: Readonly<Record<Line["step"], Readonly<Record<string, Field>>>> = {
  opened: { ledger: "id" },
  rebuilt: {},
  granted: {
    ...{ grant: "id", budget: "id", uid: "id", period: "id", window: "id" },
    ...{ startMs: "time", endMs: "time", selector: "labels", limitCost: "limit", limitTokens: "limit" },
  },
  reserved: {
    ...{ id: "id", session: "text", agent: "text", project: "text", purpose: "text", labels: "labels" },
    ...{ cost: "amount", tokens: "amount" },
  },
  sent: { id: "id" },
  settled: { id: "id", cost: "amount", tokens: "amount" },
  unsettled: { id: "id", cost: "amount", tokens: "amount" },
  released: { id: "id" },
  violated: { id: "id", cost: "amount", bound: "amount" },
  personSettled: { id: "id", cost: "amount" },
};

/** Whether `line` is of a known step and has what that needs. Of what only reports show nothing is asked. */
export function isLine(line: object): line is Line {
  const { step, seq, at } = line as Partial<Line>;
  if (step === undefined || !Object.hasOwn(shapes, step)) return false;
  if (!Number.isSafeInteger(seq) || !Number.isFinite(at)) return false;
  return Object.entries(shapes[step]).every(([name, field]) =>
    isOf[field]((line as Record<string, unknown>)[name]),
  );
}
