/** Lets VS Code complete and check the files of `.claude-sessions/`: our lines in the repository's `.vscode/settings.json`. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { Git } from "../../../pkg/git/git.ts";
import type { Context } from "../context.ts";
import { FOLDER_NAME } from "../workspace-folder.ts";
import { addYamlSchemas, settingsLines } from "./yaml-schemas.ts";

const name = ".vscode/settings.json";

export interface VscodeOptions {
  git: Git;
  repository: string;
  /** True: a person asked for it. False: asked not to. Undefined: neither. */
  wanted: boolean | undefined;
}

/**
 * Adds our lines, and says what it did.
 *
 * Unasked, only to a file that git doesn't track, or where there is none: that is where VS Code itself keeps what one
 * sets for a workspace. A tracked file is the team's, and a change of it shows up in everybody's diff; so it is changed
 * when a person says `--vscode`, and else the lines are shown. The file is never listed in .git/info/exclude: git
 * overwrites an excluded file without asking when a commit brings one of that name, and committing it is a good idea.
 */
export async function addVscodeSettings(context: Context, options: VscodeOptions): Promise<void> {
  const { git, repository, wanted } = options;
  if (wanted === false) return;
  const file = path.join(repository, name);
  const shown = path.relative(context.cwd, file);
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  const edit = addYamlSchemas(before);
  switch (edit.is) {
    case "there":
      return context.out(`Kept  ${shown}`);
    case "theirs":
      context.out(`Kept  ${shown}`);
      return context.note(
        `${shown} gives the files of ${FOLDER_NAME}/ the schema ${edit.theirs}; that was left as it is.`,
      );
    case "unclear":
      return explain(context, `${shown} was left alone, since ${edit.why}.`);
    case "added":
      if (wanted !== true && (await isTracked(git, repository)))
        return explain(
          context,
          `${shown} is tracked by git and was left alone; \`bosun init --vscode\` adds to it.`,
        );
      if (!isWithin(repository, file))
        return explain(context, `${shown} is a link out of the repository and was left alone.`);
      write(file, edit.text);
      context.out(
        before === undefined
          ? `Wrote ${shown}: the YAML extension completes and checks ${FOLDER_NAME}/. Commit it or not, as you like.`
          : `Added to ${shown}: the YAML extension completes and checks ${FOLDER_NAME}/.`,
      );
  }
}

function explain(context: Context, what: string): void {
  context.note(`${what} For completion and checks in ${FOLDER_NAME}/ it needs:`);
  for (const line of settingsLines().split("\n")) context.note(`  ${line}`);
}

async function isTracked(git: Git, repository: string): Promise<boolean> {
  const found = await git.inUserCheckout(repository, ["ls-files", "--error-unmatch", "--", name]);
  return found.exitCode === 0;
}

/** Whether `file`, or the nearest folder of it that exists, is in the repository once links are followed. */
function isWithin(repository: string, file: string): boolean {
  if (!existsSync(file)) return isWithin(repository, path.dirname(file));
  const relative = path.relative(realpathSync(repository), realpathSync(file));
  return !relative.startsWith("..") && !path.isAbsolute(relative);
}

/** Replaces the file, keeping its mode: an editor that reads it meanwhile sees all or nothing of it. */
function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const target = existsSync(file) ? realpathSync(file) : file;
  const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o644;
  const temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, text, { mode, flag: "wx" });
  renameSync(temporary, target);
}
