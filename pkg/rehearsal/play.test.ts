import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { AnswerBlock } from "./answer.ts";
import { loadScenarios, parseScenario } from "./load-scenarios.ts";
import { blocksOf, type MessagesRequest, type RequestMessage } from "./messages.ts";
import { play } from "./play.ts";
import { builtInScenarios } from "./rehearsal.ts";
import type { Scenario } from "./scenario.ts";

let builtIn: readonly Scenario[];

beforeAll(async () => {
  builtIn = await loadScenarios([builtInScenarios]);
});

const opening = `Project: Retry uploads
Category: error-handling

## Tasks

- [T-1] Retry
- [T-2] Test it

## Acceptance criteria

- AC-1: It's retried 3 times.
- AC-2: A test shows it.

## Where

The checkout is the current folder. Branch: agent-2/project-7

## Check commands

- lint: \`npm run lint\`
- test: \`npm test\`
`;
const feedback = "Review feedback (cycle 2 of 3)\n\nProject: Retry uploads\n\nAC-2: there is no test.";

const executeTools = ["bash", "read_file", "write_file", "edit_file", "task_done", "request_review"];

function request(
  messages: readonly RequestMessage[],
  tools: readonly string[] = executeTools,
): MessagesRequest {
  const offered = tools.map((name) => ({ name, input_schema: { type: "object" } }));
  return { model: "claude-sonnet-5-5", max_tokens: 16_000, messages, tools: offered };
}

function calls(blocks: readonly AnswerBlock[]) {
  return blocks.filter((block) => block.type === "tool_use");
}

/** Answers every call with `result` until a tool that ends a run is called, or `turnsMax` turns are over. */
function converse(
  scenarios: readonly Scenario[],
  start: readonly RequestMessage[],
  result: (tool: string) => { content: string; is_error?: boolean } = () => ({ content: "ok" }),
  turnsMax = 30,
): RequestMessage[] {
  const messages = [...start];
  for (let turn = 0; turn < turnsMax; turn++) {
    const { blocks } = play(scenarios, request(messages), 0);
    messages.push({ role: "assistant", content: blocks });
    const made = calls(blocks);
    const content = made.map(({ id, name }) => ({ type: "tool_result", tool_use_id: id, ...result(name) }));
    if (made.length > 0) messages.push({ role: "user", content });
    if (made.length === 0 || made.some(({ name }) => name === "request_review")) break;
  }
  return messages;
}

function toolsUsed(messages: readonly RequestMessage[]): string[] {
  return messages
    .filter((message) => message.role === "assistant")
    .flatMap((message) => calls(message.content as readonly AnswerBlock[]).map((block) => block.name));
}

test("the default explores, edits a file named for the project, runs the checks, commits and asks for review", () => {
  const messages = converse(builtIn, [{ role: "user", content: opening }]);
  expect(toolsUsed(messages)).toEqual([
    ...["bash", "write_file", "bash", "bash", "bash"],
    ...["task_done", "task_done", "request_review"],
  ]);
  const text = JSON.stringify(messages);
  expect(text).toContain("docs/rehearsal/retry-uploads.md");
  expect(text).toContain('"command":"npm run lint"');
  expect(messages.at(-2)?.content).toContainEqual(
    expect.objectContaining({
      name: "request_review",
      input: expect.objectContaining({
        evidence: [
          expect.objectContaining({ criterion: "AC-1" }),
          expect.objectContaining({ criterion: "AC-2" }),
        ],
      }),
    }),
  );
});

test("from any point of a conversation the continuation is the same, rework included", () => {
  const first = converse(builtIn, [{ role: "user", content: opening }]);
  const handedIn = blocksOf(first.at(-1)?.content);
  const reworked = [
    ...first.slice(0, -1),
    { role: "user" as const, content: [...handedIn, { type: "text", text: feedback }] },
  ];
  const whole = converse(builtIn, reworked);
  for (const [index, message] of whole.entries()) {
    if (message.role !== "assistant") continue;
    const again = play(builtIn, request(whole.slice(0, index)), 0);
    expect(again.blocks).toEqual(message.content);
    // What was asked before changes nothing either: a half-received turn is asked again.
    expect(play(builtIn, request(whole.slice(0, index)), 5).blocks).toEqual(message.content);
  }
  expect(JSON.stringify(whole.at(-2)?.content)).toContain("attempt 2");
});

test("a call whose outcome is unknown is made again, three times at most", () => {
  const unknown = {
    content: "The session was interrupted: outcome unknown, look before repeating.",
    is_error: true,
  };
  const messages = converse(builtIn, [{ role: "user", content: opening }], (tool) =>
    tool === "write_file" ? unknown : { content: "ok" },
  );
  expect(toolsUsed(messages).filter((tool) => tool === "write_file")).toHaveLength(3);
  expect(toolsUsed(messages).at(-1)).toBe("request_review");
});

test("a nudge or a note of the host does not start the work anew", () => {
  const [open, look, looked] = converse(builtIn, [{ role: "user", content: opening }], undefined, 1);
  const nudged = {
    role: "user" as const,
    content: [...blocksOf(looked?.content), { type: "text", text: "Go on." }],
  };
  const answer = play(builtIn, request([open, look, nudged] as RequestMessage[]), 0);
  expect(answer.step).toBe("note");
});

test("an agent that takes over a later cycle plays that attempt", () => {
  const three = parseScenario(
    "three.yaml",
    `
scenario: three
about: one step an attempt
match: { purpose: execute }
attempts:
  - steps: [{ step: one, text: one }]
  - steps: [{ step: two, text: two }]
  - steps: [{ step: three, text: three }]
`,
  );
  if ("problems" in three) throw new Error(three.problems.join());
  const takenOver = `${opening}\n\nReview feedback (cycle 3 of 3)\n\nStill wrong.`;
  expect(play([three.scenario], request([{ role: "user", content: takenOver }]), 0).step).toBe("three");
});

test("a runaway loop never ends by itself", () => {
  const start = [{ role: "user" as const, content: `${opening}\n[rehearse: runaway-loop]` }];
  expect(toolsUsed(converse(builtIn, start, undefined, 50))).toEqual(
    Array.from({ length: 50 }, () => "bash"),
  );
});

test("a project's title can't break out of the shell words it is put into", () => {
  const hostile = opening.replace("Retry uploads", "It's $(touch /tmp/x) `id`; rm -rf");
  const messages = converse(builtIn, [{ role: "user", content: hostile }]);
  expect(JSON.stringify(messages)).toContain("'It'\\\\''s $(touch /tmp/x) `id`; rm -rf'");
});

test("the default commits its note alone and clears away what the checks left, so that a review is not refused", () => {
  const messages = converse(builtIn, [{ role: "user", content: opening }]);
  const commit = bashCommands(messages).find((command) => command.includes("git commit"));
  using checkout = scratchCheckout();
  checkout.write("docs/rehearsal/retry-uploads.md", "a note");
  checkout.write("__pycache__/calc.pyc", "left by the tests");
  checkout.write("lock.json", "rewritten by the tests");
  checkout.run("bash", "-c", commit ?? "exit 1");
  expect(checkout.run("git", "status", "--porcelain", "--untracked-files=all")).toBe("");
  expect(checkout.run("git", "show", "--format=", "--name-only", "HEAD")).toBe(
    "docs/rehearsal/retry-uploads.md\n",
  );
});

test("the defaults are asked last, each for its own purpose", () => {
  expect(builtIn.at(-1)?.priority).toBe(-100);
  expect(play(builtIn, request([{ role: "user", content: opening }]), 0).scenario).toBe("default-execute");
  expect(play(builtIn, request([{ role: "user", content: opening }], ["submit_review"]), 0).scenario).toBe(
    "default-review",
  );
});

function bashCommands(messages: readonly RequestMessage[]): string[] {
  return messages
    .flatMap(({ content }) => blocksOf(content))
    .filter((block) => block.type === "tool_use" && block.name === "bash")
    .map((block) => (block as { input: { command: string } }).input.command);
}

/** A repository with one commit of `lock.json`, which asks nothing of the machine's own git settings. */
function scratchCheckout() {
  const path = mkdtempSync(join(tmpdir(), "bosun-rehearsal-"));
  const settings = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@bosun.invalid",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@bosun.invalid",
  };
  const run = (file: string, ...args: string[]) =>
    execFileSync(file, args, { cwd: path, encoding: "utf8", env: { ...process.env, ...settings } });
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  run("git", "init", "-q");
  write("lock.json", "{}");
  run("git", "add", ".");
  run("git", "commit", "-q", "-m", "Begin");
  return { run, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
