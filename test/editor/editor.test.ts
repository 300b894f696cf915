/** What a person sees in an editor, from yaml-language-server itself and the very settings that `bosun init` writes. */
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runIn } from "../../cmd/bosun/testing/operator.ts";
import { type Editor, openEditor } from "./language-server.ts";

let repository: string;
let editor: Editor;
let files = 0;

beforeAll(async () => {
  repository = realpathSync(mkdtempSync(path.join(tmpdir(), "bosun-editor-")));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: repository });
  git("init", "--quiet");
  git(
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@x.invalid",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Begin",
  );
  expect(await runIn(repository, ["init", "--budget", "5"])).toMatchObject({ exitCode: 0 });
  const settings = JSON.parse(readFileSync(path.join(repository, ".vscode/settings.json"), "utf8"));
  editor = await openEditor(repository, { schemas: settings["yaml.schemas"] });
});

afterAll(async () => {
  await editor[Symbol.asyncDispose]();
  rmSync(repository, { recursive: true, force: true });
});

/** A document of `kind`; `spec` is indented by two. */
function document(kind: string, spec: string, name = "a"): string {
  return `apiVersion: bosun.dev/v1alpha1\nkind: ${kind}\nmetadata:\n  name: ${name}\nspec:\n${spec}\n`;
}

/** A new file below `.claude-sessions/`: of an open one the server would have to be told what changed. */
function newFile(): string {
  files += 1;
  return path.join(repository, `.claude-sessions/deeper/${files}.yaml`);
}

async function problems(text: string): Promise<string[]> {
  const found = await editor.open(newFile(), text);
  const lines = text.split("\n");
  return found.map(({ message, range }) => `${lines[range.start.line]?.trim()}: ${message}`);
}

/** Opens `text` with the cursor where `|` stands. */
async function atCursor(text: string): Promise<[string, { line: number; character: number }]> {
  const before = text.slice(0, text.indexOf("|")).split("\n");
  const file = newFile();
  await editor.open(file, text.replace("|", ""));
  return [file, { line: before.length - 1, character: before.at(-1)?.length ?? 0 }];
}

const completions = async (text: string) => await editor.complete(...(await atCursor(text)));
const hover = async (text: string) => await editor.hover(...(await atCursor(text)));

test("nothing is wrong with the files that `bosun init` writes", async () => {
  const written = globSync(".claude-sessions/**/*.yaml", { cwd: repository });
  expect(written.length).toBeGreaterThanOrEqual(5);
  const found = await Promise.all(
    written.map(async (name) => {
      const file = path.join(repository, name);
      return [name, await editor.open(file, readFileSync(file, "utf8"))];
    }),
  );
  expect(found).toEqual(written.map((name) => [name, []]));
});

const budget = document("Budget", "  daily: { usd: 5 }");

test.concurrent.each<[name: string, text: string, want: string[]]>([
  [
    "a wrong enum",
    document("Category", "  mode: On", "testing"),
    ['mode: On: Value is not accepted. Valid values: "Enabled", "Paused", "Disabled".'],
  ],
  ["a missing property", document("Project", "  skip: true"), ['spec:: Missing property "title".']],
  [
    "a value below the minimum",
    document("AgentPool", "  role: Review\n  replicas: -1"),
    ["replicas: -1: Value is below the minimum of 0."],
  ],
  [
    "a value above the maximum",
    document("AgentPool", "  role: Review\n  replicas: 11"),
    ["replicas: 11: Value is above the maximum of 10."],
  ],
  [
    "an unknown property",
    document("Project", "  title: x\n  colour: red"),
    ["colour: red: Property colour is not allowed."],
  ],
  [
    "a wrong type deep in a list",
    document("Project", "  title: x\n  tasks:\n    - { id: T-1, title: 7 }"),
    ['- { id: T-1, title: 7 }: Incorrect type. Expected "string".'],
  ],
  [
    "an id of another form",
    document("Project", "  title: x\n  tasks:\n    - { id: 'one', title: y }"),
    ["- { id: 'one', title: y }: String does not match the pattern of \"^T-[0-9]{1,3}$\"."],
  ],
  [
    "a name that Kubernetes refuses",
    document("Project", "  title: x", "Retry_Uploads"),
    [
      "name: Retry_Uploads: The name must consist of lower-case letters, digits, '-' and '.', and begin and end with a letter or digit.",
    ],
  ],
  [
    "a kind that there is not",
    document("Projects", "  title: x"),
    [expect.stringContaining('kind: Projects: Value is not accepted. Valid values: "Agent", ')],
  ],
  ["a document without a kind", "metadata:\n  name: a\n", ['metadata:: Missing property "kind".']],
  [
    "another version",
    budget.replace("v1alpha1", "v1"),
    ['apiVersion: bosun.dev/v1: Value is not accepted. Valid values: "bosun.dev/v1alpha1".'],
  ],
  ["status, which nobody writes", `${budget}status: {}\n`, ["status: {}: Property status is not allowed."]],
  [
    "a rule between two fields, in the API's words",
    document("AgentPool", "  role: Execution\n  persona: A pirate."),
    ["persona: A pirate.: persona is for pools with role Review; execution agents are identical"],
  ],
  [
    "a rule that one of two must be there",
    document("Budget", "  timeZone: UTC"),
    ["spec:: a Budget must have daily, monthly or both"],
  ],
  [
    "an answer that the reason does not take",
    document("Escalation", "  project: b\n  reason: SecretFound\n  resolution: { action: Approve }"),
    ["resolution: { action: Approve }: resolution.action must be Rework or Abandon for this reason"],
  ],
  [
    "the second document of a file, while the first is fine",
    `${budget}---\n${document("Project", "  title: ''")}`,
    ["title: '': String is shorter than the minimum length of 1."],
  ],
])("%s is told where it stands", async (_, text, want) => {
  expect(await problems(text)).toEqual(want);
});

test("what the API sets by default may be left out", async () => {
  expect(
    await problems("apiVersion: bosun.dev/v1alpha1\nkind: Category\nmetadata: { name: testing }\n"),
  ).toEqual([]);
});

test.concurrent.each<[name: string, text: string, want: string[]]>([
  ["an empty file", "|", ["apiVersion", "kind"]],
  ["the kinds", "apiVersion: bosun.dev/v1alpha1\nkind: |\n", ["Project", "AgentPool", "Budget", "Workspace"]],
  ["the parts of a document", "apiVersion: bosun.dev/v1alpha1\nkind: Project\n|\n", ["metadata", "spec"]],
  ["the fields of a spec", document("Project", "  |"), ["title", "tasks", "acceptanceCriteria", "skip"]],
  [
    "the fields of an item",
    document("Project", "  title: x\n  tasks:\n    - |"),
    ["id", "title", "criteria"],
  ],
  ["the values of an enum", document("Project", "  title: x\n  category: |"), ["testing", "security"]],
  ["a boolean", document("Project", "  title: x\n  skip: |"), ["true", "false"]],
  ["the names that a Category may have", document("Category", "  mode: Enabled", "|"), ["dead-code"]],
])("%s is completed", async (_, text, want) => {
  expect(await completions(text)).toEqual(expect.arrayContaining(want));
});

test("fields of other kinds, and status, are not among the completions", async () => {
  const fields = await completions(document("Budget", "  |"));
  expect(fields).toContain("daily");
  expect(fields).not.toContain("replicas");
  expect(await completions(`${budget}|`)).not.toContain("status");
});

test.concurrent.each<[name: string, text: string, want: string[]]>([
  ["a field", document("AgentPool", "  role: Review\n  repl|icas: 2"), ["how many agents there should be"]],
  [
    "a value with its enum",
    document("Category", "  mode: En|abled", "testing"),
    ["Allowed Values:", "`Paused`"],
  ],
  [
    "the kind, with what each is for",
    budget.replace("Budget", "Bud|get"),
    ["`Budget`: A Budget is a hard limit on what sessions may spend."],
  ],
  ["a name", document("Project", "  title: x").replace("name: a", "na|me: a"), ["it can't be changed"]],
])("hovering over %s tells what it means", async (_, text, want) => {
  const told = await hover(text);
  for (const part of want) expect(told).toContain(part);
});
