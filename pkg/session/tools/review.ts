import { type Judgement, type SessionSpec, STANDARDS } from "../sessions.ts";
import { bashTool } from "./bash.ts";
import { eachOnce } from "./execute.ts";
import { readFileTool } from "./files.ts";
import type { InputSchema } from "./input-schema.ts";
import { failed, succeeded, type Tool, type Toolbox, toolbox } from "./toolbox.ts";
import type { Workplace } from "./workplace.ts";

const reminder =
  "No tool was called, and the review is not submitted. When you have judged every criterion and every standard, " +
  "call `submit_review`; nothing else ends it.";

/** What a reviewer can do: read and run, change nothing, judge once. */
export function reviewTools({ spec, place }: { spec: SessionSpec; place: Workplace }): Toolbox {
  const tools = [
    bashTool(place, spec.toolTimeoutSeconds),
    readFileTool(spec.checkout),
    submitReviewTool(spec),
  ];
  return toolbox(tools as readonly Tool[], reminder);
}

function submitReviewTool(spec: SessionSpec): Tool<Judgement> {
  const evidence = { type: "string", minLength: 1, maxLength: 5000, pattern: "\\S" } as const;
  const judged = (key: string): InputSchema => ({
    type: "array",
    items: {
      type: "object",
      properties: { [key]: { type: "string" }, met: { type: "boolean" }, evidence },
      required: [key, "met", "evidence"],
      additionalProperties: false,
    },
  });
  return {
    name: "submit_review",
    description:
      "Submits the verdict and ends the review. Every acceptance criterion and every standard " +
      `(${STANDARDS.join(", ")}) is judged once, with evidence. \`Approved\` only when all are met; otherwise ` +
      "`ChangesRequested`, with feedback that says what has to be done.",
    schema: {
      type: "object",
      properties: {
        verdict: { enum: ["Approved", "ChangesRequested"] },
        criteria: judged("id"),
        standards: judged("name"),
        findings: { type: "array", maxItems: 100, items: { type: "string", maxLength: 5000 } },
        feedback: { type: "string", maxLength: 20_000 },
      },
      required: ["verdict", "criteria", "standards", "findings", "feedback"],
      additionalProperties: false,
    },
    limitMs: 1000,
    async run(judgement) {
      const problems = problemsOf(judgement, spec);
      if (problems.length > 0) return failed(problems.join("\n"));
      return { ...succeeded("Submitted."), outcome: { kind: "Judged", judgement } };
    },
  };
}

/** What is wrong with a judgement; empty when it stands. */
export function problemsOf(judgement: Judgement, spec: Pick<SessionSpec, "criteria">): readonly string[] {
  const { verdict, criteria, standards, feedback } = judgement;
  const problems = [
    ...eachOnce(
      "criterion",
      spec.criteria.map(({ id }) => id),
      criteria.map(({ id }) => id),
    ),
    ...eachOnce(
      "standard",
      STANDARDS,
      standards.map(({ name }) => name),
    ),
  ];
  const unmet = [
    ...criteria.filter(({ met }) => !met).map(({ id }) => id),
    ...standards.filter(({ met }) => !met).map(({ name }) => name),
  ];
  if (verdict === "Approved" && unmet.length > 0) {
    problems.push(`The verdict is Approved, but not met are: ${unmet.join(", ")}.`);
  }
  if (verdict === "ChangesRequested" && feedback.trim() === "") {
    problems.push("ChangesRequested needs feedback that says what has to be done.");
  }
  return problems;
}
