import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv, type ErrorObject } from "ajv";
import { isNode, LineCounter, parseDocument } from "yaml";
import { compiling } from "./compiling.ts";
import { pattern } from "./pattern.ts";
import type { Scenario, Step } from "./scenario.ts";
import { scenarioSchema } from "./scenario-schema.ts";
import { unknownPlaceholders } from "./template.ts";

/** A scenario file can't be used. Each problem names the file and the line and says what to do. */
export class ScenarioError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Scenario files can't be played:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ScenarioError";
    this.problems = problems;
  }
}

/**
 * The scenarios of all `*.yaml` files in the folders, in the order in which they are asked: by priority, then later
 * folders first, then by file name.
 *
 * @throws ScenarioError naming every problem of every file, and each folder that can't be read
 */
export async function loadScenarios(folders: readonly string[]): Promise<readonly Scenario[]> {
  const problems: string[] = [];
  const found: Scenario[] = [];
  for (const folder of folders.toReversed()) {
    const files = await readdir(folder).catch((error: Error) => {
      problems.push(`${folder}: its files can't be listed: ${error.message}. Name another folder.`);
      return [];
    });
    for (const file of files.filter((name) => /\.ya?ml$/.test(name)).sort()) {
      const path = join(folder, file);
      const parsed = parseScenario(path, await readFile(path, "utf8"));
      if ("problems" in parsed) problems.push(...parsed.problems);
      else found.push(parsed.scenario);
    }
  }
  if (problems.length > 0) throw new ScenarioError(problems);
  return found.toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
}

const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false, ...compiling });
ajv.addFormat("re2", (source) => problemOfPattern(source) === undefined);
const check = ajv.compile<Scenario>(scenarioSchema);

/** Reads one file; `path` is for messages alone. */
export function parseScenario(
  path: string,
  source: string,
): { scenario: Scenario } | { problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const broken = document.errors[0];
  // Only the first: once the structure is lost, the parser complains about all that follows.
  if (broken !== undefined)
    return { problems: [`${at(broken.pos[0])}: ${broken.message}. Correct the YAML.`] };
  const locate = (pointer: readonly string[]): string => {
    const keys = pointer.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const node = keys.length === 0 ? document.contents : document.getIn(keys, true);
    if (isNode(node) && node.range) return at(node.range[0]);
    return keys.length === 0 ? `${path}:1` : locate(pointer.slice(0, -1));
  };
  const value: unknown = document.toJS();
  if (!check(value)) {
    const errors = (check.errors ?? []).filter((error) => error.keyword !== "if");
    return { problems: errors.map((error) => `${locate(pointerOf(error))}: ${say(error, value)}`) };
  }
  const problems = checkReferences(value).map(({ pointer, message }) => `${locate(pointer)}: ${message}`);
  return problems.length > 0 ? { problems } : { scenario: value };
}

function problemOfPattern(source: string): string | undefined {
  try {
    pattern(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function pointerOf(error: ErrorObject): string[] {
  return error.instancePath.split("/").slice(1);
}

function say(error: ErrorObject, root: unknown): string {
  const field = pointerOf(error).join(".") || "the scenario";
  switch (error.keyword) {
    case "additionalProperties":
      return `${field} has the unknown field \`${error.params.additionalProperty}\`. Remove it or correct its name.`;
    case "required":
      return `${field} must have \`${error.params.missingProperty}\`. Add it.`;
    case "enum":
      return `${field} must be one of ${error.params.allowedValues.join(", ")}.`;
    case "oneOf":
      return `${field} must have exactly one of the fields that exclude each other. Keep one.`;
    case "format": {
      const source = pointerOf(error).reduce<unknown>(
        (at, key) => (at as Record<string, unknown>)?.[key],
        root,
      );
      return `${field} must be an RE2 regular expression: ${problemOfPattern(String(source))}. Correct the pattern.`;
    }
    default:
      return `${field} ${error.message ?? "is invalid"}. Correct it.`;
  }
}

interface Problem {
  pointer: string[];
  message: string;
}

function checkReferences(scenario: Scenario): readonly Problem[] {
  const lists: [string[], readonly Step[]][] = [
    ...(scenario.steps ? [[["steps"], scenario.steps] satisfies [string[], readonly Step[]]] : []),
    ...(scenario.attempts ?? []).map(({ steps }, index): [string[], readonly Step[]] => [
      ["attempts", String(index), "steps"],
      steps,
    ]),
  ];
  const captures = scenario.capture ?? {};
  return lists.flatMap(([pointer, steps]) => {
    const names = new Set<string>();
    return steps.flatMap((step, index) => {
      const here = [...pointer, String(index)];
      const twice = names.has(step.step);
      names.add(step.step);
      return [
        ...(twice
          ? [{ pointer: here, message: `step \`${step.step}\` is there twice. Give it another name.` }]
          : []),
        ...checkStep(step, captures, here),
      ];
    });
  });
}

function checkStep(
  step: Step,
  captures: NonNullable<Scenario["capture"]>,
  pointer: string[],
): readonly Problem[] {
  const problem = (message: string): Problem => ({ pointer, message });
  const isList = (name: string) => captures[name]?.all !== undefined;
  const named = [step.forEach, ...eachNames(step.calls)].filter((name) => name !== undefined);
  const known = new Set([...Object.keys(captures), "attempt", "item"]);
  const doesNothing = !step.text && !step.calls && !step.judge && !step.fault && !step.padTokens;
  return [
    ...(doesNothing
      ? [problem(`step \`${step.step}\` does nothing. Give it text, calls, judge or fault.`)]
      : []),
    ...(step.judge && step.calls
      ? [problem(`step \`${step.step}\` has judge and calls. Split it in two.`)]
      : []),
    ...named
      .filter((name) => !isList(name))
      .map((name) => problem(`\`${name}\` is no list. Capture it with \`all\` before you repeat over it.`)),
    ...unknownPlaceholders(JSON.stringify([step.text, step.calls, step.judge]), known).map((placeholder) =>
      problem(`${placeholder} is unknown. Add it to \`capture\`, or use the filters slug, shell, json.`),
    ),
  ];
}

function eachNames(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "$each" in value ? [String(value.$each)] : [];
  return [...own, ...Object.values(value).flatMap(eachNames)];
}
