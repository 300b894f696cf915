import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadScenarios, parseScenario, ScenarioError } from "./load-scenarios.ts";

const head = "scenario: mine\nabout: a test\nmatch: {}\n";

test.each([
  ["an unknown field", `${head}colour: red\nsteps: [{ step: a, text: a }]\n`, 1, "unknown field `colour`"],
  ["a missing field", "scenario: mine\nmatch: {}\nsteps: [{ step: a, text: a }]\n", 1, "must have `about`"],
  [
    "a pattern that is no RE2",
    `${head}rework: "(?=x)"\nsteps: [{ step: a, text: a }]\n`,
    4,
    "RE2 regular expression",
  ],
  [
    "a wrong choice",
    "scenario: mine\nabout: a\nmatch:\n  purpose: dance\nsteps: [{ step: a, text: a }]\n",
    4,
    "execute, review, other",
  ],
  [
    "a step that does nothing",
    `${head}steps:\n  - step: a\n    text: a\n  - step: b\n`,
    7,
    "step `b` does nothing",
  ],
  [
    "two steps of one name",
    `${head}steps:\n  - { step: a, text: a }\n  - { step: a, text: b }\n`,
    6,
    "is there twice",
  ],
  ["an unknown placeholder", `${head}steps:\n  - step: a\n    text: "{{who}}"\n`, 5, "{{who}} is unknown"],
  [
    "a list that is none",
    `${head}steps:\n  - { step: a, forEach: tasks, text: a }\n`,
    5,
    "`tasks` is no list",
  ],
  [
    "steps and attempts",
    `${head}steps: [{ step: a, text: a }]\nattempts: [{ steps: [{ step: a, text: a }] }]\n`,
    1,
    "exclude each other",
  ],
  ["broken YAML", "scenario: [\n", 2, "Correct the YAML"],
])("%s is reported with file, line and what to do", (_, source, line, message) => {
  const parsed = parseScenario("mine.yaml", source);
  if (!("problems" in parsed)) throw new Error("was accepted");
  expect(parsed.problems.join("\n")).toContain(message);
  expect(parsed.problems[0]).toMatch(new RegExp(`^mine\\.yaml:${line}: `));
});

test("the problems of all files come in one error", async () => {
  const folder = await mkdtemp(join(tmpdir(), "scenarios-"));
  try {
    await writeFile(join(folder, "a.yaml"), "scenario: A\n");
    await writeFile(join(folder, "b.yaml"), "scenario: [\n");
    const error = await loadScenarios([folder]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ScenarioError);
    expect((error as ScenarioError).message).toMatch(/a\.yaml:1: [\s\S]*b\.yaml:2: /);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a folder that is not there is a problem like any other, with its name", async () => {
  const error = await loadScenarios(["/nowhere", "/nowhere-else"]).catch((thrown: unknown) => thrown);
  if (!(error instanceof ScenarioError)) throw error;
  expect(error.problems).toEqual([
    expect.stringMatching(/^\/nowhere-else: .* Name another folder\.$/),
    expect.stringMatching(/^\/nowhere: .* Name another folder\.$/),
  ]);
});
