/** `bosun doctor`: is all there that Bosun needs, and what is not handled? */
import { Git } from "../../../pkg/git/git.ts";
import type { Context } from "../context.ts";
import {
  containmentFinding,
  credentialFinding,
  diskFinding,
  type Finding,
  folderFinding,
  nodeFinding,
  operatorFinding,
  repositoryFindings,
  sandboxFinding,
} from "../doctor/findings.ts";
import { keptWorkFindings } from "../doctor/kept-work.ts";
import { noWorkTree } from "../no-work-tree.ts";
import { programAdvice } from "../program-failure.ts";
import { UserError } from "../user-error.ts";
import { lookForWorkspace, workspaceFolder } from "../workspace-folder.ts";

/** @throws UserError when something keeps Bosun from working */
export async function doctor(context: Context): Promise<void> {
  const findings = await examine(context);
  for (const line of findings.flatMap(lines)) context.out(line);
  const errors = findings.filter(({ state }) => state === "error").length;
  if (errors > 0)
    throw new UserError(
      `${errors === 1 ? "One thing keeps" : `${errors} things keep`} Bosun from working here.`,
    );
}

async function examine({ cwd, env }: Context): Promise<Finding[]> {
  const machine = [
    nodeFinding(process.versions.node),
    await sandboxFinding(),
    await containmentFinding(),
    credentialFinding(env),
    await diskFinding(env),
  ];
  const git = new Git();
  const repository = await topOf(git, cwd);
  if (repository === undefined) return [...machine, { state: "error", ...(await noWorkTree(git, cwd)) }];
  if (typeof repository !== "string") return [...machine, repository];
  // What every other command would work with, also where it lies in the wrong place.
  const folder = lookForWorkspace(cwd) ?? workspaceFolder(repository);
  return [
    ...machine,
    ...(await repositoryFindings(folder)),
    folderFinding(folder),
    await operatorFinding(folder),
    ...(await keptWorkFindings(folder)),
  ];
}

/** The repository around `cwd`, undefined where there is none, or why git can't be asked. */
async function topOf(git: Git, cwd: string): Promise<string | Finding | undefined> {
  try {
    const top = await git.inUserCheckout(cwd, ["rev-parse", "--show-toplevel"]);
    return top.exitCode === 0 ? String(top.stdout).trimEnd() : undefined;
  } catch (error) {
    const fix = programAdvice(error);
    if (fix === undefined) throw error;
    return { state: "error", message: "git can't be started.", fix };
  }
}

const marks = { ok: "ok  ", warning: "WARN", error: "FAIL" } as const;

function lines({ state, message, fix }: Finding): string[] {
  return [`${marks[state]}  ${message}`, ...(fix === undefined ? [] : [`      ${fix}`])];
}
