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
import { UserError } from "../user-error.ts";
import { workspaceFolder } from "../workspace-folder.ts";

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
  const repository = await topOf(cwd);
  if (repository === undefined) {
    const fix = 'Go to one, or make one: git init && git commit --allow-empty -m "Begin"';
    return [...machine, { state: "error", message: `${cwd} is not in a git repository.`, fix }];
  }
  const folder = workspaceFolder(repository);
  return [
    ...machine,
    ...(await repositoryFindings(repository)),
    folderFinding(folder),
    await operatorFinding(folder),
    ...(await keptWorkFindings(folder)),
  ];
}

async function topOf(cwd: string): Promise<string | undefined> {
  const top = await new Git().inUserCheckout(cwd, ["rev-parse", "--show-toplevel"]);
  return top.exitCode === 0 ? String(top.stdout).trimEnd() : undefined;
}

const marks = { ok: "ok  ", warning: "WARN", error: "FAIL" } as const;

function lines({ state, message, fix }: Finding): string[] {
  return [`${marks[state]}  ${message}`, ...(fix === undefined ? [] : [`      ${fix}`])];
}
