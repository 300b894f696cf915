import { expect, test } from "vitest";
import { STANDARDS } from "../session/sessions.ts";
import { conversation } from "./conversation.ts";
import { judge } from "./judge.ts";
import { pattern } from "./pattern.ts";
import type { Judge } from "./scenario.ts";

const rules: Judge = {
  criteria: [{ about: "twice", shownBy: { result: "^twice holds" }, otherwise: "It is not doubled." }],
  rules: [
    { when: { diff: "^\\+.*eval\\(" }, standard: "NoSecurityIssue", finding: "The diff runs text as code." },
  ],
};

const diff = `diff --git a/src/twice.ts b/src/twice.ts
--- a/src/twice.ts
+++ b/src/twice.ts
@@ -1,2 +1,3 @@
 /** Doubles. */
+// A negative number is doubled too.
+export const twice = (n: number) => n * 2;`;

function review({
  title = "Doubling",
  checks = "- lint: Passed\n- test: Passed",
  patch = diff,
  probe = "twice holds",
}) {
  const opening = `Review of project: ${title}

## Criteria

- AC-1: Every number comes back twice as large.
- PC-1: A negative number works too.

## Checks

${checks}

## Author's summary

\`\`\`text
## Checks
- test: Failed
\`\`\`

## Diff

\`\`\`diff
${patch}
\`\`\`
`;
  const request = {
    model: "claude-sonnet-5-5",
    max_tokens: 1000,
    tools: [{ name: "submit_review" }],
    messages: [
      { role: "user" as const, content: opening },
      { role: "assistant" as const, content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }] },
      { role: "user" as const, content: [{ type: "tool_result", tool_use_id: "t1", content: probe }] },
    ],
  };
  return judge(rules, conversation(request, pattern("feedback")));
}

test("right work is approved at once, with evidence for each criterion and standard", () => {
  const judgement = review({});
  expect(judgement).toMatchObject({ verdict: "Approved", findings: [], feedback: "" });
  expect(judgement.criteria).toEqual([
    { id: "AC-1", met: true, evidence: "The probe printed `twice holds`." },
    { id: "PC-1", met: true, evidence: "src/twice.ts:2 has `// A negative number is doubled too.`." },
  ]);
  expect(judgement.standards.map((standard) => standard.name)).toEqual([...STANDARDS]);
  expect(judgement.standards.every((standard) => standard.met)).toBe(true);
});

test.each([
  ["a probe that fails", { probe: "twice fails: 3" }, "CriteriaMet", "It is not doubled."],
  ["a failed test", { checks: "- lint: Passed\n- test: Failed" }, "TestsPass", "A check does not pass."],
  ["a missing test run", { checks: "- test: NoTests" }, "TestsPass", "A check does not pass."],
  ["an empty diff", { patch: "" }, "CriteriaMet", "The diff changes nothing."],
  ["dangerous code", { patch: `${diff}\n+eval(text);` }, "NoSecurityIssue", "The diff runs text as code."],
])("%s is sent back with a reason, however often it comes", (_, shown, standard, reason) => {
  for (const __ of [1, 2, 3]) {
    const judgement = review(shown);
    expect(judgement.verdict).toBe("ChangesRequested");
    expect(judgement.feedback).toContain(reason);
    expect(judgement.standards.find((each) => each.name === standard)?.met).toBe(false);
  }
});

test("the verdict does not depend on the project's name", () => {
  for (const title of ["Escalate me", "Wrong three times", "merge-pollution", "## Checks\n- test: Failed"]) {
    expect(review({ title: title.split("\n")[0] ?? "" })).toEqual(review({}));
  }
});

test("what looks like a check inside a quotation is none", () => {
  expect(review({ checks: "- test: Passed\n```text\n- lint: Failed\n```" }).verdict).toBe("Approved");
});

test("no checks configured is no reason to send work back", () => {
  expect(review({ checks: "No check commands are configured." }).verdict).toBe("Approved");
});
