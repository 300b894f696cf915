/** `bosun init`: a commented `.claude-sessions/` for a repository. Never overwrites; safe to repeat. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Git } from "../../../pkg/git/git.ts";
import type { Context } from "../context.ts";
import { refreshSchemaCopy } from "../editor/schema-copy.ts";
import { addVscodeSettings } from "../editor/vscode-settings.ts";
import { type ReadFile, suggestCommands } from "../init/check-commands.ts";
import { initialFiles } from "../init/files.ts";
import { makeFolder, topOf } from "../init/make-folder.ts";
import { UserError } from "../user-error.ts";
import { FOLDER_NAME, workspaceFolder } from "../workspace-folder.ts";

/** What a day may cost where nobody says, and the most that a Budget takes (`crds/budget.yaml`), in US dollars. */
const dailyUSDDefault = 5;
const dailyUSDMax = 1_000_000;

export interface InitOptions {
  /** US dollars a day, instead of asking. */
  budget?: string;
  /** Whether to add to VS Code's settings; unasked, only where git doesn't track them. */
  vscode?: boolean;
}

export async function init(context: Context, options: InitOptions): Promise<void> {
  const git = new Git();
  const repository = await topOf(git, context.cwd);
  const targetBranch = await branchOf(git, repository);
  const workspace = workspaceFolder(repository);
  const folder = workspace.path;
  const shown = path.relative(context.cwd, folder);

  const declared = existsSync(folder) ? declaredKinds(folder) : new Set<string>();
  const dailyUSD = declared.has("Budget") ? dailyUSDDefault : await chooseBudget(context, options.budget);
  const isExcluded = await makeFolder(git, repository);

  const read: ReadFile = (name) => readIfPresent(path.join(repository, name));
  const commands = suggestCommands(read);
  const files = initialFiles({ name: nameOf(repository), targetBranch, commands, dailyUSD });
  for (const { path: name, kind, text } of files) {
    const file = path.join(folder, name);
    if (existsSync(file) || declared.has(kind)) {
      context.out(`Kept  ${shown}/${name}`);
      continue;
    }
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: "wx" });
    context.out(`Wrote ${shown}/${name}`);
  }
  if (isExcluded) context.out(`Listed ${FOLDER_NAME}/ in .git/info/exclude: git leaves it alone.`);
  refreshSchemaCopy(workspace);
  await addVscodeSettings(context, { git, repository, wanted: options.vscode });
  if (commands.test === undefined && !declared.has("Workspace")) {
    context.note(
      `No test command was found. Write one into ${shown}/workspace.yaml: without it nothing merges.`,
    );
  }
  context.out("");
  context.out(
    `Next: set \`skip: false\` in ${shown}/projects/example.yaml or write a project of your own, then`,
  );
  context.out("  bosun up --rehearse   to see it work with a played model, for nothing");
  context.out("  bosun up              for real, with ANTHROPIC_API_KEY set");
}

/** The branch that is checked out; with a detached HEAD, main or master. */
async function branchOf(git: Git, repository: string): Promise<string> {
  const current = await git.inUserCheckout(repository, ["symbolic-ref", "--quiet", "--short", "HEAD"]);
  if (current.exitCode === 0) return String(current.stdout).trimEnd();
  for (const branch of ["main", "master"]) {
    const found = await git.inUserCheckout(repository, [
      "show-ref",
      "--verify",
      "--quiet",
      `refs/heads/${branch}`,
    ]);
    if (found.exitCode === 0) return branch;
  }
  throw new UserError(
    `HEAD of ${repository} is detached and there is no branch main or master. Check out the branch to merge into.`,
  );
}

/** What the YAML files of `folder` declare already, whatever they are called. */
function declaredKinds(folder: string): Set<string> {
  const files = globSync("**/*.{yaml,yml}", { cwd: folder });
  const texts = files.map((file) => readFileSync(path.join(folder, file), "utf8"));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/^kind:\s*["']?(\w+)/gm)].map(([, kind = ""]) => kind)),
  );
}

async function chooseBudget({ ask }: Context, given: string | undefined): Promise<number> {
  const answer =
    given ??
    (await ask(`How much may it spend a day, in US dollars? [${dailyUSDDefault.toFixed(2)}] `)) ??
    "";
  const text = answer.trim().replace(/^\$/, "");
  if (text === "") return dailyUSDDefault;
  const amount = Number(text);
  if (!(amount >= 0 && amount <= dailyUSDMax)) {
    throw new UserError(
      `The budget must be an amount in US dollars from 0 to ${dailyUSDMax}, not "${answer}".`,
      { exitCode: 2 },
    );
  }
  return amount;
}

/** The repository's folder as a Kubernetes name: lower case, digits and dashes. */
function nameOf(repository: string): string {
  const name = path
    .basename(repository)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return name.slice(0, 63).replaceAll(/^-+|-+$/g, "") || "workspace";
}

function readIfPresent(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
