import { expect, test } from "vitest";
import { judge } from "./judge.ts";
import type { CheckResult, CommandName } from "./quality.ts";

interface Row {
  name: string;
  command?: CommandName;
  exitCode: number;
  output: string;
  want: CheckResult["result"];
}

const rows: readonly Row[] = [
  { name: "an exit with 0", exitCode: 0, output: "fine", want: "Passed" },
  { name: "an exit with 1", exitCode: 1, output: "broken", want: "Failed" },
  { name: "no program", exitCode: 127, output: "bash: line 1: jest: command not found", want: "Missing" },
  { name: "no npm script", exitCode: 1, output: 'npm error Missing script: "test"', want: "Missing" },
  {
    name: "no pnpm script",
    exitCode: 1,
    output: " ERR_PNPM_NO_SCRIPT  Missing script: test",
    want: "Missing",
  },
  {
    name: "no make target",
    exitCode: 2,
    output: "make: *** No rule to make target 'test'.  Stop.",
    want: "Missing",
  },
  {
    name: "vitest without files",
    exitCode: 1,
    output: "No test files found, exiting with code 1",
    want: "NoTests",
  },
  {
    name: "vitest told to pass",
    exitCode: 0,
    output: "No test files found, exiting with code 0",
    want: "NoTests",
  },
  { name: "jest without files", exitCode: 1, output: "No tests found, exiting with code 1", want: "NoTests" },
  {
    name: "node without tests, TAP",
    exitCode: 0,
    output: "TAP version 13\n1..0\n# tests 0\n# pass 0",
    want: "NoTests",
  },
  {
    name: "node without tests, spec",
    exitCode: 0,
    output: "\u001b[34mℹ tests 0\u001b[39m\nℹ pass 0",
    want: "NoTests",
  },
  { name: "node, one workspace of two", exitCode: 0, output: "# tests 0\n# tests 3", want: "Passed" },
  {
    name: "pytest without tests",
    exitCode: 5,
    output: "collected 0 items\n=== no tests ran in 0.01s ===",
    want: "NoTests",
  },
  { name: "cargo without tests", exitCode: 0, output: "running 0 tests\n\nrunning 0 tests", want: "NoTests" },
  {
    name: "cargo, doc tests empty",
    exitCode: 0,
    output: "running 4 tests\n\nrunning 0 tests",
    want: "Passed",
  },
  {
    name: "go without test files",
    exitCode: 0,
    output: "?   \tx/a\t[no test files]\n?   \tx/b\t[no test files]",
    want: "NoTests",
  },
  {
    name: "go, one package of two",
    exitCode: 0,
    output: "?   \tx/a\t[no test files]\nok  \tx/b\t0.012s",
    want: "Passed",
  },
  {
    name: "go, a filter that fits nothing",
    exitCode: 0,
    output: "ok  \tx/b\t0.012s [no tests to run]",
    want: "NoTests",
  },
  { name: "mocha without tests", exitCode: 0, output: "\n  0 passing (2ms)", want: "NoTests" },
  { name: "unittest without tests", exitCode: 0, output: "Ran 0 tests in 0.000s\n\nOK", want: "NoTests" },
  {
    name: "a lint that says the same words",
    command: "lint",
    exitCode: 0,
    output: "No tests found",
    want: "Passed",
  },
];

for (const { name, command = "test", exitCode, output, want } of rows) {
  test(`${name} is ${want}`, () => {
    expect(judge(command, "run", { exitCode, timedOut: false, output, seconds: 1 }).result).toBe(want);
  });
}

test("a run past its limit is TimedOut and has no exit code", () => {
  const result = judge("build", "run", { exitCode: 137, timedOut: true, output: "half", seconds: 600 });

  expect(result).toEqual({ name: "build", run: "run", result: "TimedOut", seconds: 600, output: "half" });
});

test("a result keeps the end of a long output", () => {
  const output = `${"a".repeat(9000)}the end`;
  const result = judge("lint", "run", { exitCode: 1, timedOut: false, output, seconds: 1 });

  expect(result.output).toHaveLength(4000);
  expect(result.output.endsWith("the end")).toBe(true);
});
