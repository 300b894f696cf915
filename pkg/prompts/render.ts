import type { CheckResult, Finding } from "../quality/quality.ts";
import type { Criterion, Judgement, SessionTask } from "../session/sessions.ts";
import { fenced, listed, oneLine } from "./quote.ts";
import { readTemplate, renderTemplate, type Template } from "./template.ts";

/** What opens a run: the system prompt of the session and the user message. */
export interface Rendered {
  system: string;
  message: string;
}

/** A check command as an author is told it. */
export interface PromptCheck {
  name: string;
  run: string;
}

export interface ExecuteInput {
  agent: string;
  title: string;
  /** Slug of one of the 21 categories. */
  category: string;
  description: string;
  tasks: readonly SessionTask[];
  criteria: readonly Criterion[];
  branch: string;
  checks: readonly PromptCheck[];
}

/** Why work comes back to its author. What is empty or left out is not shown. */
export interface ReworkInput {
  agent: string;
  title: string;
  /** 1 for the first rework. */
  cycle: number;
  /** Cycles after which a person decides. */
  cycles: number;
  /** The reviewer's judgement, if a review sent it back. */
  judgement?: Judgement;
  criteria: readonly Criterion[];
  findings: readonly Finding[];
  /** Results of the operator's checks; the passed ones are left out. */
  checks: readonly CheckResult[];
  /** Says what conflicts, if a merge did: files and how to go on. */
  conflict?: string;
}

export interface ReviewInput {
  /** The reviewer. */
  agent: string;
  title: string;
  category: string;
  description: string;
  cycle: number;
  cycles: number;
  criteria: readonly Criterion[];
  checks: readonly CheckResult[];
  findings: readonly Finding[];
  /** The author's, from `request_review`. */
  summary: string;
  evidence: readonly { criterion: string; evidence: string }[];
  base: string;
  head: string;
  /** The patch `base..head`, cut to a bound by the caller. */
  diff: string;
  /** How the reviewer is to look at things; empty for none. */
  persona?: string;
}

/** The texts of sessions, ready to be filled in. */
export interface Prompts {
  renderExecute(input: ExecuteInput): Rendered;
  renderRework(input: ReworkInput): Rendered;
  renderReview(input: ReviewInput): Rendered;
}

export const PROMPT_NAMES = ["system-execute", "execute", "rework", "system-review", "review"] as const;
export type PromptName = (typeof PROMPT_NAMES)[number];

/**
 * Prompts from their texts, which are read and checked at once.
 *
 * @throws Error naming the prompt whose front matter and text disagree
 */
export function promptsFrom(texts: Readonly<Record<PromptName, string>>): Prompts {
  const templates = Object.fromEntries(
    PROMPT_NAMES.map((name) => [name, readTemplate(name, texts[name])]),
  ) as Record<PromptName, Template>;
  const render = (name: PromptName, values: Record<string, string>) =>
    renderTemplate(templates[name], values);
  return {
    renderExecute: (input) => ({
      system: render("system-execute", { agent: input.agent }),
      message: render("execute", executeValues(input)),
    }),
    renderRework: (input) => ({
      system: render("system-execute", { agent: input.agent }),
      message: render("rework", reworkValues(input)),
    }),
    renderReview: (input) => ({
      system: render("system-review", { agent: input.agent, persona: personaText(input.persona) }),
      message: render("review", reviewValues(input)),
    }),
  };
}

function executeValues(input: ExecuteInput): Record<string, string> {
  return {
    title: oneLine(input.title),
    category: oneLine(input.category),
    description: fenced(input.description, "text"),
    tasks: listed(
      input.tasks.map(({ id, title }) => `[${id}] ${oneLine(title)}`),
      "There are no separate tasks.",
    ),
    criteria: criteriaText(input.criteria),
    branch: input.branch,
    checks: listed(
      input.checks.map(({ name, run }) => `${name}: \`${oneLine(run)}\``),
      "No check commands are configured.",
    ),
  };
}

function reworkValues(input: ReworkInput): Record<string, string> {
  return {
    title: oneLine(input.title),
    cycle: String(input.cycle),
    cycles: String(input.cycles),
    reasons: [
      judgementText(input.judgement, input.criteria),
      section("Failed checks", failedChecks(input.checks)),
      section(
        "Findings",
        input.findings.map(findingText).map((line) => `- ${line}`),
      ),
      section("Merge conflict", input.conflict === undefined ? [] : [fenced(input.conflict, "text")]),
    ]
      .filter((text) => text !== "")
      .join("\n\n"),
  };
}

function judgementText(judgement: Judgement | undefined, criteria: readonly Criterion[]): string {
  if (judgement === undefined) return "";
  const textOf = (id: string) => criteria.find((criterion) => criterion.id === id)?.text ?? "";
  const unmet = [
    ...judgement.criteria
      .filter(({ met }) => !met)
      .map(({ id, evidence }) => `- ${id}: ${oneLine(textOf(id))}\n${fenced(evidence, "text")}`),
    ...judgement.standards
      .filter(({ met }) => !met)
      .map(({ name, evidence }) => `- ${name}\n${fenced(evidence, "text")}`),
  ];
  return [
    section("Feedback", judgement.feedback === "" ? [] : [fenced(judgement.feedback, "text")]),
    section("Not met", unmet),
    section(
      "Reviewer's findings",
      judgement.findings.map((finding) => `- ${oneLine(finding)}`),
    ),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

function reviewValues(input: ReviewInput): Record<string, string> {
  return {
    title: oneLine(input.title),
    category: oneLine(input.category),
    description: fenced(input.description, "text"),
    cycle: String(input.cycle),
    cycles: String(input.cycles),
    criteria: criteriaText(input.criteria),
    checks: checksText(input.checks),
    findings: listed(input.findings.map(findingText), "None."),
    summary: fenced(input.summary, "text"),
    evidence: listed(
      input.evidence.map(({ criterion, evidence }) => `${oneLine(criterion)}: ${oneLine(evidence)}`),
      "None.",
    ),
    base: input.base,
    head: input.head,
    diff: fenced(input.diff, "diff"),
  };
}

function criteriaText(criteria: readonly Criterion[]): string {
  return listed(
    criteria.map(({ id, text }) => `${id}: ${oneLine(text)}`),
    "There are no criteria beside the standards.",
  );
}

function checksText(checks: readonly CheckResult[]): string {
  if (checks.length === 0) return "No check commands are configured.";
  const results = checks.map(({ name, result }) => `${name}: ${result}`).join("\n");
  return [results, ...failedChecks(checks)].join("\n\n");
}

/** Name, command and the end of the output of each check that did not pass. */
function failedChecks(checks: readonly CheckResult[]): readonly string[] {
  return checks
    .filter(({ result }) => result !== "Passed")
    .map(
      ({ name, run, result, output }) =>
        `${name} (\`${oneLine(run)}\`), ${result}:\n${fenced(output, "text")}`,
    );
}

function findingText({ kind, path, commit, message }: Finding): string {
  return oneLine(`${kind} in ${path} (${commit.slice(0, 12)}): ${message}`);
}

function personaText(persona: string | undefined): string {
  return persona === undefined || persona.trim() === ""
    ? "You judge as an experienced maintainer would."
    : persona;
}

function section(title: string, parts: readonly string[]): string {
  return parts.length === 0 ? "" : `## ${title}\n\n${parts.join("\n")}`;
}
