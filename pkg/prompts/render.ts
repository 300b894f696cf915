import type { CheckText, CriterionText, ExecuteInput, Prompts, ReviewInput, ReworkInput } from "./prompts.ts";
import { fenced, listed, oneLine } from "./quote.ts";
import { readTemplate, renderTemplate, type Template } from "./template.ts";

export const PROMPT_NAMES = ["system-execute", "execute", "rework", "system-review", "review"] as const;
export type PromptName = (typeof PROMPT_NAMES)[number];

/**
 * Prompts from their texts, which are read and checked at once. Whatever people or agents wrote is rendered as data:
 * on one line, or in a fence that it can't close.
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
    execute: (input) => ({
      system: render("system-execute", {
        agent: input.agent,
        protectedPaths: listed(input.protectedPaths.map(code), "There are none."),
      }),
      message: render("execute", executeValues(input)),
    }),
    rework: (input) => ({ message: render("rework", reworkValues(input)) }),
    review: (input) => ({
      system: render("system-review", { reviewer: input.reviewer, persona: personaText(input.persona) }),
      message: render("review", reviewValues(input)),
    }),
  };
}

function executeValues({ project, branch, commands }: ExecuteInput): Record<string, string> {
  return {
    title: oneLine(project.title),
    category: categoryText(project.category),
    description: descriptionText(project.description),
    tasks: listed(project.tasks.map(taskText), "There are no separate tasks."),
    criteria: criteriaText(project.criteria),
    branch: oneLine(branch),
    commands: listed(
      Object.entries(commands).map(([name, run]) => `${name}: ${code(run)}`),
      "No check commands are configured.",
    ),
  };
}

function taskText({ id, title, description }: ExecuteInput["project"]["tasks"][number]): string {
  const line = `[${id}] ${oneLine(title)}`;
  return description === undefined || description.trim() === "" ? line : `${line}: ${oneLine(description)}`;
}

function reworkValues({ cause, cycle, cyclesMax, feedback, ...merge }: ReworkInput): Record<string, string> {
  const causes = {
    Review: "The review asks for changes.",
    Merge: "The work was approved and could not be merged.",
    Person: "A person asks for changes.",
  };
  return {
    cycle: String(cycle),
    cyclesMax: String(cyclesMax),
    cause: causes[cause],
    feedback: fenced(feedback, "text"),
    merge: merge.target === undefined ? "" : mergeText(merge.target, merge.conflictingFiles),
  };
}

function mergeText(target: string, files: readonly string[]): string {
  const merge = `Take the target in with ${code(`git merge ${target}`)}, keep what both sides meant, and commit the merge.`;
  const text =
    files.length === 0 ? merge : `These files conflict:\n\n${listed(files.map(code), "")}\n\n${merge}`;
  return `\n## Merge conflict\n\n${text}\n`;
}

function reviewValues(input: ReviewInput): Record<string, string> {
  return {
    title: oneLine(input.project.title),
    category: categoryText(input.project.category),
    description: descriptionText(input.project.description),
    criteria: criteriaText(input.criteria),
    checks: checksText(input.checks),
    findings: listed(input.findings.map(oneLine), "None."),
    summary: fenced(input.summary, "text"),
    base: oneLine(input.base),
    head: oneLine(input.head),
    diff: fenced(input.diff, "diff"),
  };
}

function checksText(checks: readonly CheckText[]): string {
  if (checks.length === 0) return "No check commands are configured.";
  const results = checks.map(({ name, result }) => `${oneLine(name)}: ${oneLine(result)}`).join("\n");
  const outputs = checks
    .filter(({ result, output }) => result !== "Passed" && output.trim() !== "")
    .map(({ name, output }) => `Output of ${oneLine(name)}, its end:\n\n${fenced(output, "text")}`);
  return [results, ...outputs].join("\n\n");
}

function criteriaText(criteria: readonly CriterionText[]): string {
  return listed(
    criteria.map(({ id, text }) => `${id}: ${oneLine(text)}`),
    "There are none beside the five standards.",
  );
}

function categoryText(category: string | undefined): string {
  return category === undefined ? "none" : oneLine(category);
}

function descriptionText(description: string): string {
  return description.trim() === "" ? "There is none." : fenced(description, "text");
}

function personaText(persona: string | undefined): string {
  return persona === undefined || persona.trim() === ""
    ? "You judge as an experienced maintainer would."
    : persona;
}

function code(text: string): string {
  return `\`${oneLine(text)}\``;
}
