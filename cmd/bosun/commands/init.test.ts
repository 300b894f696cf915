import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { initialFiles } from "../init/files.ts";
import { createAll, openRegistry, runIn } from "../testing/operator.ts";

let repository: string;
const git = (...args: string[]) => execFileSync("git", args, { cwd: repository, encoding: "utf8" });
const file = (name: string) => path.join(repository, name);
const read = (name: string) => readFileSync(file(name), "utf8");

beforeEach(() => {
  repository = realpathSync(mkdtempSync(path.join(tmpdir(), "bosun-init-")));
  git("init", "--quiet", "--initial-branch=trunk");
});
afterEach(() => rmSync(repository, { recursive: true, force: true }));

function commit(): void {
  git(
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.invalid",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Begin",
  );
}

test("init writes files that the API accepts, and git passes the folder by", async () => {
  commit();
  writeFileSync(
    file("package.json"),
    JSON.stringify({ scripts: { test: "vitest run", lint: "biome check" } }),
  );
  expect(await runIn(repository, ["init"])).toMatchObject({ exitCode: 0 });

  const registry = await openRegistry();
  for (const name of [
    "workspace.yaml",
    "pools.yaml",
    "budget.yaml",
    "categories.yaml",
    "projects/example.yaml",
  ]) {
    await createAll(registry, read(`.claude-sessions/${name}`));
  }
  const [workspace] = (await registry.list("bosun.dev/workspaces")).items;
  expect(workspace?.spec).toMatchObject({
    repository: { targetBranch: "trunk" },
    commands: { lint: { run: "npm run lint" }, test: { run: "npm test" } },
  });
  expect((await registry.list("bosun.dev/categories")).items).toHaveLength(21);
  const pools = (await registry.list("bosun.dev/agentpools")).items.map(({ spec }) => spec);
  expect(pools).toMatchObject([
    { role: "Execution", replicas: 1 },
    { role: "Review", replicas: 1 },
  ]);
  expect((await registry.list("bosun.dev/budgets")).items[0]?.spec).toMatchObject({ daily: { usd: 5 } });
  expect((await registry.list("bosun.dev/projects")).items[0]?.spec).toMatchObject({ skip: true });

  expect(git("status", "--porcelain")).toBe("?? .vscode/\n?? package.json\n");
  git("clean", "-xfd", "--quiet");
  expect(read(".claude-sessions/budget.yaml")).toContain("usd: 5.00");
});

test("init never overwrites and never declares a second time what another file declares", async () => {
  commit();
  mkdirSync(file(".claude-sessions"));
  writeFileSync(file(".claude-sessions/mine.yaml"), "kind: Budget\n");
  await runIn(repository, ["init"]);
  writeFileSync(file(".claude-sessions/pools.yaml"), "# mine\n");
  const before = [git("ls-files", "--others", "--ignored", "--exclude-standard"), read(".git/info/exclude")];

  expect(await runIn(repository, ["init"])).toMatchObject({ exitCode: 0 });

  expect(read(".claude-sessions/pools.yaml")).toBe("# mine\n");
  expect(read(".claude-sessions/mine.yaml")).toBe("kind: Budget\n");
  expect(() => read(".claude-sessions/budget.yaml")).toThrow("ENOENT");
  expect([git("ls-files", "--others", "--ignored", "--exclude-standard"), read(".git/info/exclude")]).toEqual(
    before,
  );
});

const settings = ".vscode/settings.json";
const schemas = {
  ".claude-sessions/.bosun/schemas/bosun.json": expect.arrayContaining([".claude-sessions/**/*.yaml"]),
};

test("init lets VS Code complete and check the files, with the schema of this version beside them", async () => {
  commit();
  const { out } = await runIn(repository, ["init"]);
  expect(out).toContainEqual(expect.stringMatching(/^Wrote \.vscode\/settings\.json: /));
  expect(JSON.parse(read(settings))).toEqual({ "yaml.schemas": schemas });
  expect(read(".claude-sessions/.bosun/schemas/bosun.json")).toBe(
    readFileSync(path.join(packageRoot(), "schemas/bosun.json"), "utf8"),
  );

  writeFileSync(file(".claude-sessions/.bosun/schemas/bosun.json"), "of an older version");
  const before = read(settings);
  expect((await runIn(repository, ["init"])).out).toContain(`Kept  ${settings}`);
  expect(read(settings)).toBe(before);
  expect(read(".claude-sessions/.bosun/schemas/bosun.json")).toContain('"title": "Bosun"');
});

test("init adds to settings that git doesn't track, and keeps their comments and mode", async () => {
  commit();
  mkdirSync(file(".vscode"));
  writeFileSync(file(settings), '{\n  "editor.tabSize": 2 // mine\n}\n', { mode: 0o600 });
  const { out } = await runIn(repository, ["init"]);
  expect(out).toContainEqual(expect.stringMatching(/^Added to \.vscode\/settings\.json: /));
  expect(read(settings)).toContain('"editor.tabSize": 2, // mine\n');
  expect(statSync(file(settings)).mode & 0o777).toBe(0o600);
});

test("init shows the lines where git tracks the settings, and adds them when it is asked to", async () => {
  mkdirSync(file(".vscode"));
  writeFileSync(file(settings), "{}\n");
  git("add", settings);
  commit();
  const { notes } = await runIn(repository, ["init"]);
  expect(notes).toContainEqual(expect.stringContaining("`bosun init --vscode`"));
  expect(notes.join("\n")).toContain('"yaml.schemas": {');
  expect(git("status", "--porcelain")).toBe("");

  await runIn(repository, ["init", "--vscode"]);
  expect(JSON.parse(read(settings))).toEqual({ "yaml.schemas": schemas });
});

test.each<[string, string[], string, RegExp]>([
  ["that can't be read", [], "{ broken", /no valid JSON/],
  ["that name another schema", [], '{"yaml.schemas":{"a.json":".claude-sessions/*"}}', /the schema a\.json/],
  ["that a person wants left alone", ["--no-vscode"], "{}", /^(?!.*vscode)/],
])("init leaves settings alone %s", async (_, options, text, wantNote) => {
  commit();
  mkdirSync(file(".vscode"));
  writeFileSync(file(settings), text);
  const { exitCode, notes } = await runIn(repository, ["init", ...options]);
  expect(exitCode).toBe(0);
  expect(read(settings)).toBe(text);
  expect(notes.join("\n")).toMatch(wantNote);
});

test("init writes no settings through a link out of the repository", async () => {
  commit();
  const outside = mkdtempSync(path.join(tmpdir(), "bosun-outside-"));
  symlinkSync(outside, file(".vscode"));
  const { notes } = await runIn(repository, ["init"]);
  expect(notes).toContainEqual(expect.stringContaining("link out of the repository"));
  expect(readdirSync(outside)).toEqual([]);
  rmSync(outside, { recursive: true });
});

test("init works from a folder below the top of the repository", async () => {
  commit();
  mkdirSync(file("src"));
  await runIn(file("src"), ["init"]);
  expect(read(".claude-sessions/workspace.yaml")).toContain("kind: Workspace");
});

test.each([
  ["12.50", 0, "usd: 12.50"],
  ["", 0, "usd: 5.00"],
  ["much", 2, undefined],
  ["-1", 2, undefined],
])('the answer "%s" to the question for the budget', async (answer, wantCode, wantText) => {
  commit();
  const { exitCode } = await runIn(repository, ["init"], { ask: async () => answer });
  expect(exitCode).toBe(wantCode);
  if (wantText === undefined) expect(() => read(".claude-sessions/budget.yaml")).toThrow("ENOENT");
  else expect(read(".claude-sessions/budget.yaml")).toContain(wantText);
});

test("from a folder beneath the top init says where, from there, it writes", async () => {
  commit();
  mkdirSync(file("packages/app"), { recursive: true });
  const { out } = await runIn(file("packages/app"), ["init", "--vscode"]);
  const written = out.flatMap((line) => /^Wrote ([^ :]+)/.exec(line)?.[1] ?? []);
  expect(written).toHaveLength(6);
  for (const shown of written) expect(read(path.join("packages/app", shown))).not.toBe("");
  expect(readdirSync(file("packages/app"))).toEqual([]);
});

test("what declares work beneath the top is found by the doctor, who says where it has to lie", async () => {
  commit();
  mkdirSync(file("packages/app/.claude-sessions"), { recursive: true });
  for (const folder of ["packages/app", "packages/app/.claude-sessions"]) {
    const { out } = await runIn(file(folder), ["doctor"]);
    expect(out.join("\n")).toContain(`${file("packages/app")} is not the top of a git work tree.`);
    expect(out.join("\n")).toContain(`Move what declares the work to ${repository}, where`);
  }
});

test("without a commit init says how to make one", async () => {
  expect(await runIn(repository, ["init"])).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining("git commit --allow-empty")],
  });
});

test("outside of a repository init says so", async () => {
  rmSync(file(".git"), { recursive: true });
  expect(await runIn(repository, ["init"])).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining("is not in a git repository")],
  });
});

test("where git refuses the repository that is there, what it says is told, and no other is to be made", async () => {
  writeFileSync(file(".git/config"), "[core]\n\trepositoryFormatVersion = 99\n");
  for (const command of ["init", "doctor"]) {
    const { out, notes } = await runIn(repository, [command]);
    const told = [...out, ...notes].join("\n");
    expect(told).toContain("Expected git repo version <= 1, found 99");
    expect(told).not.toContain("git init");
  }
});

test("init promises no proposals of projects while no controller makes any", () => {
  const choices = { name: "a", targetBranch: "main", commands: {}, dailyUSD: 5 };
  const text = initialFiles(choices).find((each) => each.text.includes("kind: Category"))?.text;
  expect(text?.replaceAll("\n# ", " ")).toContain("that is not built yet");
});

test("names that YAML would take for something else are quoted", () => {
  const [workspace] = initialFiles({
    name: "on",
    targetBranch: "0755",
    commands: { test: 'node --test "a: b" # c' },
    dailyUSD: 1,
  });
  expect(workspace?.text).toContain('name: "on"');
  expect(workspace?.text).toContain('targetBranch: "0755"');
  expect(workspace?.text).toContain('run: "node --test \\"a: b\\" # c"');
});

test("a repository that suggests no command still gets files that the API accepts", async () => {
  const registry = await openRegistry();
  for (const { text } of initialFiles({ name: "a", targetBranch: "main", commands: {}, dailyUSD: 5 })) {
    await createAll(registry, text);
  }
  expect((await registry.list("bosun.dev/workspaces")).items[0]?.spec).toMatchObject({
    setupNetwork: "None",
  });
});
