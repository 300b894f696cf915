import type { CheckResult, CommandName } from "./quality.ts";

/** Last characters of the output that a result keeps. */
const outputCharacters = 4000;

export interface Ran {
  exitCode: number;
  timedOut: boolean;
  output: string;
  seconds: number;
}

/** What a run of a check command means. Only an exit with 0 that did what its name says is Passed. */
export function judge(name: CommandName, run: string, ran: Ran): CheckResult {
  const { exitCode, seconds } = ran;
  const text = plain(ran.output);
  const output = text.slice(-outputCharacters);
  if (ran.timedOut) return { name, run, result: "TimedOut", seconds, output };
  const common = { name, run, exitCode, seconds, output };
  if (exitCode !== 0 && isMissing(exitCode, text)) return { ...common, result: "Missing" };
  if (name === "test" && ranNoTest(exitCode, text)) return { ...common, result: "NoTests" };
  return { ...common, result: exitCode === 0 ? "Passed" : "Failed" };
}

/** The shell found no program (127), or a script runner no script of that name. */
function isMissing(exitCode: number, text: string): boolean {
  if (exitCode === 127) return true;
  return [
    /^npm (?:error|ERR!) Missing script/m,
    /ERR_PNPM_NO_SCRIPT/,
    /^error Command ".*" not found/m,
    /^Usage Error: Couldn't find a script named/m,
    /^make: \*\*\* No rule to make target .*\.\s+Stop\./m,
    /^error: Script not found/m,
    /^error: Justfile does not contain recipe/m,
  ].some((pattern) => pattern.test(text));
}

/** How a test runner says that it found nothing, and how it says that it ran something. */
const runners: readonly { none: RegExp; some: RegExp }[] = [
  { none: /^\s*No test files found/m, some: /^\s*Tests\s+.*\b[1-9]\d* (?:passed|failed)/m },
  { none: /^No tests found/m, some: /^Tests:\s+.*\b[1-9]\d* (?:passed|failed)/m },
  { none: /^(?:#|ℹ) tests 0$/m, some: /^(?:#|ℹ) tests [1-9]/m },
  { none: /\bno tests ran\b|^collected 0 items/m, some: /\b[1-9]\d* (?:passed|failed)\b/ },
  { none: /^running 0 tests$/m, some: /^running [1-9]\d* tests?$/m },
  {
    none: /\[no test files\]|\[no tests to run\]/,
    some: /^(?:ok|FAIL)\s+\S+\s+(?!.*\[no tests to run\]).*\d/m,
  },
  { none: /^\s*0 passing/m, some: /^\s*[1-9]\d* (?:passing|failing)/m },
  { none: /^Ran 0 tests/m, some: /^Ran [1-9]\d* tests?/m },
  { none: /^(?:No examples found\.|0 examples,)/m, some: /^[1-9]\d* examples?,/m },
  { none: /^No tests executed!/m, some: /^(?:OK \(|Tests: )[1-9]/m },
];

/** The exit code that pytest ends with when it found no test. */
const pytestNothingCollected = 5;

function ranNoTest(exitCode: number, text: string): boolean {
  if (
    exitCode === pytestNothingCollected &&
    /\b(?:pytest|test session starts|collected 0 items)\b/.test(text)
  ) {
    return true;
  }
  const foundNone = runners.some(({ none }) => none.test(text));
  return foundNone && !runners.some(({ some }) => some.test(text));
}

/** Without colours, so that what is matched and shown is text. */
function plain(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character starts a colour
  return output.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r\n", "\n");
}
