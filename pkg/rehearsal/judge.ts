import { type Judgement, STANDARDS, type Standard } from "../session/sessions.ts";
import { type Conversation, resultsSinceBrief } from "./conversation.ts";
import { pattern } from "./pattern.ts";
import { addedLines, type ReviewMaterial, reviewMaterial } from "./review-material.ts";
import type { CriterionRule, Judge, Rule } from "./scenario.ts";

/**
 * Judges what the conversation shows: criteria, check results, diff and the results of the reviewer's own calls. Who
 * wrote the work and what the project is called play no part. Approved when nothing is found wanting.
 */
export function judge(rules: Judge, talk: Conversation): Judgement {
  const seen: Seen = {
    ...reviewMaterial(talk.opening),
    results: resultsSinceBrief(talk)
      .map((result) => result.text)
      .join("\n"),
  };
  const criteria = seen.criteria.map((criterion) => judgeCriterion(criterion, rules.criteria ?? [], seen));
  const broken = [...always, ...(rules.rules ?? [])].filter((rule) => applies(rule, seen));
  const findings = [
    ...broken.map((rule) => rule.finding),
    ...criteria.filter((criterion) => !criterion.met).map(({ id, advice }) => `${id}: ${advice}`),
  ];
  const standards = STANDARDS.map((name) => judgeStandard(name, broken, criteria, seen));
  const approved = findings.length === 0;
  return {
    verdict: approved ? "Approved" : "ChangesRequested",
    criteria: criteria.map(({ id, met, evidence }) => ({ id, met, evidence })),
    standards,
    findings,
    feedback: approved ? "" : findings.map((finding, index) => `${index + 1}. ${finding}`).join("\n"),
  };
}

interface Seen extends ReviewMaterial {
  results: string;
}

/** What no scenario can leave out. */
const always: readonly Rule[] = [
  {
    when: { checks: "Failed" },
    standard: "TestsPass",
    finding: "A check does not pass. Run the checks and repair what fails.",
  },
  {
    when: { diffLacks: "^[+-][^+-]" },
    standard: "CriteriaMet",
    finding: "The diff changes nothing. Commit the work.",
  },
];

function applies({ when }: Rule, seen: Seen): boolean {
  const matches = (source: string | undefined, text: string) =>
    source === undefined || pattern(source).test(text);
  const lacks = (source: string | undefined, text: string) =>
    source === undefined || !pattern(source).test(text);
  return (
    matches(when.diff, seen.diff) &&
    lacks(when.diffLacks, seen.diff) &&
    matches(when.result, seen.results) &&
    lacks(when.resultLacks, seen.results) &&
    (when.checks === undefined || when.checks === checksState(seen))
  );
}

function checksState({ checks }: Seen): "Passed" | "Failed" | "None" {
  if (checks.length === 0) return "None";
  return checks.every((check) => check.result === "Passed") ? "Passed" : "Failed";
}

interface CriterionVerdict {
  id: string;
  met: boolean;
  evidence: string;
  advice: string;
}

function judgeCriterion(
  { id, text }: ReviewMaterial["criteria"][number],
  rules: readonly CriterionRule[],
  seen: Seen,
): CriterionVerdict {
  const own = rules.filter((rule) => pattern(rule.about).test(text));
  const missing = own.filter((rule) => quoteFor(rule, seen) === undefined);
  if (missing.length > 0) {
    const advice = missing.map((rule) => rule.otherwise).join(" ");
    return { id, met: false, evidence: `Not seen: ${advice}`, advice };
  }
  const quotes = own.map((rule) => quoteFor(rule, seen));
  const closest = closestLine(text, seen.diff);
  if (quotes.length > 0) return { id, met: true, evidence: quotes.join(" "), advice: "" };
  if (closest === undefined)
    return { id, met: false, evidence: "No added line.", advice: "The diff shows nothing for it." };
  return { id, met: checksState(seen) !== "Failed", evidence: closest, advice: "Its check does not pass." };
}

function quoteFor({ shownBy }: CriterionRule, seen: Seen): string | undefined {
  const quotes: string[] = [];
  if (shownBy.result !== undefined) {
    const shows = pattern(shownBy.result);
    const line = seen.results.split("\n").find((candidate) => shows.test(candidate));
    if (line === undefined) return undefined;
    quotes.push(`The probe printed \`${line.trim()}\`.`);
  }
  if (shownBy.diff !== undefined) {
    const shows = pattern(shownBy.diff);
    const line = addedLines(seen.diff).find((added) => shows.test(`+${added.text}`));
    if (line === undefined && !shows.test(seen.diff)) return undefined;
    quotes.push(line === undefined ? "The diff shows it." : quote(line));
  }
  return quotes.join(" ");
}

/** The added line that shares most words with the criterion; undefined when nothing was added. */
function closestLine(text: string, diff: string): string | undefined {
  const words = new Set(wordsOf(text));
  const scored = addedLines(diff)
    .filter((line) => line.text.trim() !== "")
    .map((line) => ({ line, score: wordsOf(line.text).filter((word) => words.has(word)).length }));
  const best = scored.toSorted((a, b) => b.score - a.score)[0];
  return best === undefined ? undefined : quote(best.line);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]{3,}/g) ?? [];
}

function quote({ path, line, text }: { path: string; line: number; text: string }): string {
  return `${path}:${line} has \`${text.trim().slice(0, 160)}\`.`;
}

function judgeStandard(
  name: Standard,
  broken: readonly Rule[],
  criteria: readonly CriterionVerdict[],
  seen: Seen,
): { name: Standard; met: boolean; evidence: string } {
  const finding = broken.find((rule) => rule.standard === name)?.finding;
  if (finding !== undefined) return { name, met: false, evidence: finding };
  const check = {
    TestsPass: "test",
    LintClean: "lint",
    NoSecurityIssue: "",
    CriteriaMet: "",
    Documented: "",
  }[name];
  const result = seen.checks.find((candidate) => candidate.name === check);
  if (check !== "") {
    if (result === undefined) return { name, met: true, evidence: `No ${check} command is configured.` };
    return { name, met: result.result === "Passed", evidence: `${result.name}: ${result.result}` };
  }
  if (name === "CriteriaMet") {
    const unmet = criteria.filter((criterion) => !criterion.met).map((criterion) => criterion.id);
    const evidence =
      unmet.length === 0 ? `${criteria.length} of ${criteria.length} met.` : `Not met: ${unmet.join(", ")}.`;
    return { name, met: unmet.length === 0, evidence };
  }
  const files = [...new Set(addedLines(seen.diff).map((line) => line.path))].join(", ");
  return {
    name,
    met: true,
    evidence: `Read the added lines of ${files || "no file"}; nothing to object to.`,
  };
}
