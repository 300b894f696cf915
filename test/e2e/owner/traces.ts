/** Everything by which a writer could have left a trace, so that two moments can be compared. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Scratch } from "../operator/scratch.ts";

export interface Traces {
  /** Every ref with its object. */
  refs: string;
  /** Every object of the API. */
  objects: string;
  /** The agents' session files, by name. */
  sessionFiles: Readonly<Record<string, string>>;
  /** What each session has on disk, by its path. */
  sessions: Readonly<Record<string, string>>;
  ledger: string;
  /** The person's YAML, by its path. */
  files: Readonly<Record<string, string>>;
}

/** Somewhat more than the second. */
const heldBackMs = 1_200;

/** Of the workspace as its operator knows it now. */
export async function tracesOf(here: Scratch): Promise<Traces> {
  const { workspace, client } = here;
  const kinds = ["Project", "Review", "Agent", "Budget", "Workspace", "Escalation"] as const;
  const lists = await Promise.all(kinds.map(async (kind) => (await client.list(kind)).items));
  return {
    refs: here.git("for-each-ref", "--format=%(refname) %(objectname)"),
    objects: JSON.stringify(lists, null, 1),
    sessionFiles: filesIn(workspace.path, "", (name) => name.endsWith(".session")),
    sessions: filesIn(workspace.sessions, "", (name) => /\.jsonl?$/.test(name)),
    ledger: readFileSync(path.join(workspace.operator, "rehearsal-ledger", "ledger.jsonl"), "utf8"),
    files: filesIn(workspace.path, "", (name) => name.endsWith(".yaml")),
  };
}

/** The same once the operator has written what it had to: a file that shows an agent is held back for a second. */
export async function tracesAtRest(here: Scratch): Promise<Traces> {
  let seen = await tracesOf(here);
  let sinceMs = performance.now();
  await here.until("nothing that changes", async () => {
    const now = await tracesOf(here);
    if (!isDeepStrictEqual(now, seen)) {
      seen = now;
      sinceMs = performance.now();
    }
    return performance.now() - sinceMs > heldBackMs;
  });
  return seen;
}

function filesIn(root: string, below: string, wanted: (name: string) => boolean): Record<string, string> {
  const folder = path.join(root, below);
  if (!existsSync(folder)) return {};
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory() && entry.name !== ".bosun" && entry.name !== "home")
      Object.assign(found, filesIn(root, name, wanted));
    else if (entry.isFile() && wanted(entry.name)) found[name] = readFileSync(path.join(root, name), "utf8");
  }
  return found;
}
