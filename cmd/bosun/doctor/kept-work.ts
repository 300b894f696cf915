/** Work that lies where nobody will come upon it: checkouts that were put aside, and what was kept of lost ones. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { Git } from "../../../pkg/git/git.ts";
import { wipPrefix } from "../../../pkg/git/kept-work.ts";
import { layoutOf } from "../../../pkg/git/layout.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Finding } from "./findings.ts";

/** One for each; Bosun deletes none of it, and works on without it. */
export async function keptWorkFindings(folder: WorkspaceFolder): Promise<Finding[]> {
  return [...putAside(folder), ...(await keptOfLost(folder))];
}

function putAside({ gateway }: WorkspaceFolder): Finding[] {
  if (!existsSync(gateway)) return [];
  const { quarantine } = layoutOf(path.dirname(realpathSync(gateway)));
  const entries = existsSync(quarantine) ? readdirSync(quarantine, { withFileTypes: true }) : [];
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const checkout = path.join(quarantine, name);
      const why = readIfPresent(`${checkout}.txt`)?.trim() ?? "";
      return {
        state: "warning",
        message: `A checkout with work in it was put aside: ${checkout}. ${why}`.trim(),
        fix: "Take from it what you want (it is a git clone), then delete it.",
      };
    });
}

/** While the checkout is there, the ref is a copy of it that goes when it goes. */
async function keptOfLost({ repository, sessions }: WorkspaceFolder): Promise<Finding[]> {
  const { exitCode, stdout } = await new Git().inUserCheckout(repository, [
    "for-each-ref",
    "--format=%(refname)",
    wipPrefix,
  ]);
  const refs = exitCode === 0 ? String(stdout).split("\n").filter(Boolean) : [];
  return refs.flatMap((ref) => {
    const spec = specOf(sessions, ref.slice(wipPrefix.length));
    if (spec !== undefined && existsSync(spec.checkout)) return [];
    const whose = spec === undefined ? "a session" : `${spec.agent} on ${spec.project}`;
    return [
      {
        state: "warning",
        message: `The checkout of ${whose} is gone. What was kept of it at a stop: ${ref}`,
        fix: `git show ${ref} shows it; git update-ref -d ${ref} forgets it.`,
      },
    ];
  });
}

/** Undefined where the session is not known any more, or its file is damaged: its work is told of all the same. */
function specOf(sessions: string, id: string): SessionSpec | undefined {
  try {
    return sessionFolder(sessions, id).readSpec();
  } catch {
    return undefined;
  }
}
