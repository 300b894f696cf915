import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { loadPrompts } from "../../../pkg/prompts/load.ts";
import { type Rehearsal, startRehearsal } from "../../../pkg/rehearsal/rehearsal.ts";
import type { Judgement } from "../../../pkg/session/sessions.ts";

// Real checks by the dozen: a busy machine may take its time.
vi.setConfig({ testTimeout: 600_000 });

const demo = fileURLToPath(new URL("..", import.meta.url));
const prompts = loadPrompts(fileURLToPath(new URL("../../../prompts", import.meta.url)));
const checks = { lint: "npm run lint", test: "npm test" };

interface Project {
  metadata: { name: string };
  spec: {
    title: string;
    category: string;
    description: string;
    tasks: { id: string; title: string }[];
    acceptanceCriteria: { id: string; text: string }[];
  };
}

let rehearsal: Rehearsal;
let client: Anthropic;
let scratch: string;
let projects: readonly Project[];

beforeAll(async () => {
  rehearsal = await startRehearsal({ scenarios: [join(demo, "scenarios")], clock: hurried });
  client = new Anthropic({ baseURL: rehearsal.url, apiKey: "any", maxRetries: 0 });
  scratch = await mkdtemp(join(tmpdir(), "demo-"));
  const origin = join(scratch, "origin");
  await cp(join(demo, "library"), origin, { recursive: true });
  await shell(origin, "git init -q -b main && git add -A && git commit -q -m Start");
  const files = (await readdir(join(demo, "projects"))).sort();
  projects = await Promise.all(
    files.map(async (file) => parse(await readFile(join(demo, "projects", file), "utf8")) as Project),
  );
});

afterAll(async () => {
  await rehearsal.close();
  await rm(scratch, { recursive: true, force: true });
});

/** A clock that waits for nothing: the pace is for people who watch. */
const hurried = {
  now: () => 0,
  elapsed: () => 0,
  sleep: async (_: number, signal?: AbortSignal) => signal?.throwIfAborted(),
};

test("the library's checks are green before anything is done", async () => {
  expect(await runChecks(await clone("baseline"))).toEqual({ lint: "Passed", test: "Passed" });
});

test("five projects end approved, one after a missing test, and merge into one tree whose checks pass", async () => {
  const target = await clone("target");
  const verdicts: Record<string, readonly string[]> = {};
  for (const { metadata } of projects.filter(({ metadata }) => metadata.name !== "merge-pollution")) {
    const checkout = await clone(metadata.name);
    verdicts[metadata.name] = await work(checkout, project(metadata.name));
    await shell(target, `git fetch -q ${checkout} HEAD && git merge -q --no-edit FETCH_HEAD`);
  }
  expect(verdicts).toEqual({
    "slugify-accents": ["Approved"],
    "truncate-length": ["Approved"],
    "duration-garbage": ["ChangesRequested", "Approved"],
    "chunk-size": ["Approved"],
    "add-months-end": ["Approved"],
  });
  expect(await runChecks(target)).toEqual({ lint: "Passed", test: "Passed" });
});

test("merge-pollution is wrong three times, each time found out by trying it", async () => {
  const verdicts = await work(await clone("pollution"), project("merge-pollution"));
  expect(verdicts).toEqual(["ChangesRequested", "ChangesRequested", "ChangesRequested"]);
});

test("right work on merge-pollution is approved, under another name too", async () => {
  const checkout = await clone("right");
  const path = join(checkout, "src/object.ts");
  const source = await readFile(path, "utf8");
  const right = source
    .replace("gives `target` back. */", "gives `target` back.\n * Goes into its own fields alone. */")
    .replace("= target[key];", "= Object.hasOwn(target, key) ? target[key] : undefined;")
    .replace(
      "else target[key] = theirs;",
      "else Object.defineProperty(target, key, { ...field, value: theirs });",
    )
    .replace(
      "type Fields",
      "const field = { writable: true, enumerable: true, configurable: true };\n\ntype Fields",
    );
  await writeFile(path, right);
  await writeFile(
    join(checkout, "test/hostile.test.ts"),
    'import { test } from "node:test";\nimport { deepMerge } from "../src/object.ts";\n\n' +
      'test("hostile keys change nothing else", () => {\n  deepMerge({}, JSON.parse(\'{"__proto__": {"a": 1}}\'));\n});\n',
  );
  await shell(checkout, 'git add -A; git commit -q -m "Merge own fields"');
  const given = project("merge-pollution");
  for (const title of [given.spec.title, "Something else"]) {
    const judgement = await review(checkout, { ...given, spec: { ...given.spec, title } });
    expect(judgement).toMatchObject({ verdict: "Approved", feedback: "" });
  }
});

test("wrong code with a good name is rejected", async () => {
  const checkout = await clone("wrong");
  await shell(
    checkout,
    'echo "// Accents are fine." >> src/text.ts; git commit -q -a -m "Keep accents, perfectly"',
  );
  const given = project("slugify-accents");
  const title = "Approved: the right fix";
  const judgement = await review(checkout, { ...given, spec: { ...given.spec, title } });
  expect(judgement.verdict).toBe("ChangesRequested");
  expect(judgement.criteria.map(({ met }) => met)).toEqual([false, false]);
});

test("two projects of the conflict scenario conflict, and the rework that names the target resolves it", async () => {
  const [ours, theirs] = await Promise.all([clone("ours"), clone("theirs")]);
  await session(ours, [], executeMessage(conflicting("Ours")), "request_review");
  const messages: Anthropic.MessageParam[] = [];
  await session(theirs, messages, executeMessage(conflicting("Theirs")), "request_review");
  const target = (await shell(ours, "git rev-parse HEAD")).trim();
  await shell(theirs, `git fetch -q ${ours} HEAD`);
  await expect(shell(theirs, `git merge-tree --write-tree HEAD ${target}`)).rejects.toThrow("CONFLICT");

  const { message } = prompts.rework({
    ...{ cause: "Merge", cycle: 1, cyclesMax: 3, feedback: "It does not merge." },
    ...{ target, conflictingFiles: ["README.md"] },
  });
  await session(theirs, messages, message, "request_review");

  await shell(theirs, `git merge-base --is-ancestor ${target} HEAD`);
  const readme = await readFile(join(theirs, "README.md"), "utf8");
  expect(readme).toMatch(/^# Ours\n[\s\S]*\nAlso: Theirs\n$/);
});

function conflicting(title: string): Project {
  const description = "[rehearse: conflict]";
  const acceptanceCriteria = [{ id: "AC-1", text: "The README says it." }];
  const spec = { title, category: "documentation", description, tasks: [], acceptanceCriteria };
  return { metadata: { name: title.toLowerCase() }, spec };
}

function project(name: string): Project {
  const found = projects.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`hack/demo/projects has no ${name}`);
  return found;
}

/** A clone of the library's repository on a branch of its own. */
async function clone(name: string): Promise<string> {
  await shell(scratch, `git clone -q origin ${name} && git -C ${name} checkout -q -b agent-1/project-1`);
  return join(scratch, name);
}

/** Execution and review by turns, until approved or rejected three times; the verdicts. */
async function work(checkout: string, given: Project): Promise<string[]> {
  const { acceptanceCriteria } = given.spec;
  const messages: Anthropic.MessageParam[] = [];
  let message = executeMessage(given);
  const verdicts: string[] = [];
  for (const cycle of [1, 2, 3]) {
    const handedIn = await session(checkout, messages, message, "request_review");
    expect(handedIn).toMatchObject({ evidence: acceptanceCriteria.map(({ id }) => ({ criterion: id })) });
    expect(await shell(checkout, "git status --porcelain")).toBe("");
    const { verdict, feedback } = await review(checkout, given);
    verdicts.push(verdict);
    expect(feedback).not.toContain("A check does not pass");
    if (verdict === "Approved") break;
    const rework = { cause: "Review", cycle: cycle + 1, cyclesMax: 3, feedback } as const;
    message = prompts.rework({ ...rework, target: undefined, conflictingFiles: [] }).message;
  }
  return verdicts;
}

function executeMessage({ spec }: Project): string {
  return prompts.execute({
    agent: "agent-1",
    project: { ...spec, criteria: spec.acceptanceCriteria },
    branch: "agent-1/project-1",
    commands: checks,
    protectedPaths: [],
  }).message;
}

async function review(checkout: string, { spec }: Project): Promise<Judgement> {
  const results = await runChecks(checkout);
  const { message } = prompts.review({
    reviewer: "agent-4",
    persona: undefined,
    project: spec,
    criteria: spec.acceptanceCriteria,
    checks: Object.entries(results).map(([name, result]) => ({ name, result, output: "" })),
    findings: [],
    ...{ summary: "Done.", base: "main", head: "HEAD", diff: await shell(checkout, "git diff main...HEAD") },
  });
  return (await session(checkout, [], message, "submit_review")) as unknown as Judgement;
}

/** A tool loop as a session runs it; what the tool that ends it was given. */
async function session(
  checkout: string,
  messages: Anthropic.MessageParam[],
  message: string,
  last: "request_review" | "submit_review",
): Promise<Record<string, unknown>> {
  const offered = [
    "bash",
    "read_file",
    ...(last === "request_review" ? ["write_file", "edit_file", "task_done"] : []),
    last,
  ];
  const tools = offered.map((name) => ({ name, input_schema: { type: "object" as const } }));
  const results: Anthropic.ToolResultBlockParam[] = [];
  const opened = messages.at(-1);
  if (opened?.role === "user") opened.content = [...(opened.content as []), { type: "text", text: message }];
  else messages.push({ role: "user", content: message });
  for (let turn = 0; turn < 30; turn++) {
    const answer = await client.messages
      .stream({ model: "claude-sonnet-5-5", max_tokens: 16_000, messages, tools })
      .finalMessage();
    messages.push({ role: "assistant", content: answer.content });
    const calls = answer.content.filter((block) => block.type === "tool_use");
    results.length = 0;
    for (const call of calls) {
      const result = await runTool(checkout, call.name, call.input as Record<string, string>);
      results.push({ type: "tool_result", tool_use_id: call.id, ...result });
    }
    if (calls.length === 0) throw new Error("The session fell silent.");
    messages.push({ role: "user", content: [...results] });
    const end = calls.find((call) => call.name === last);
    if (end !== undefined) return end.input as Record<string, unknown>;
  }
  throw new Error("The session took more than 30 turns.");
}

async function runTool(
  checkout: string,
  tool: string,
  input: Record<string, string>,
): Promise<{ content: string; is_error?: boolean }> {
  const path = join(checkout, input.path ?? "");
  try {
    if (tool === "bash") return { content: (await shell(checkout, input.command ?? "")) || "(no output)" };
    if (tool === "write_file") {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, input.content ?? "");
    } else if (tool === "edit_file") {
      const before = await readFile(path, "utf8");
      const parts = before.split(input.old_text ?? "");
      if (parts.length !== 2)
        return { content: `old_text occurs ${parts.length - 1} times.`, is_error: true };
      await writeFile(path, parts.join(input.new_text ?? ""));
    }
    return { content: "Done." };
  } catch (error) {
    return { content: String(error), is_error: true };
  }
}

async function runChecks(checkout: string): Promise<Record<string, string>> {
  const results = Object.entries(checks).map(async ([name, run]): Promise<[string, string]> => {
    const failed = await shell(checkout, run).then(
      () => false,
      () => true,
    );
    return [name, failed ? "Failed" : "Passed"];
  });
  return Object.fromEntries(await Promise.all(results));
}

/** Standard output and error; rejects when the exit code is not 0. */
function shell(cwd: string, command: string): Promise<string> {
  const env = {
    // The node that runs this: the library needs one that strips types.
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
    HOME: scratch,
    ...{ GIT_AUTHOR_NAME: "t", GIT_AUTHOR_EMAIL: "t@t", GIT_COMMITTER_NAME: "t", GIT_COMMITTER_EMAIL: "t@t" },
  };
  return new Promise((resolve, reject) => {
    execFile("bash", ["-c", command], { cwd, env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}
