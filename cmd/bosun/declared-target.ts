import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import type { WorkspaceFolder } from "./workspace-folder.ts";

/** What a Workspace that names none merges into (`crds/workspace.yaml`). */
const targetDefault = "main";

/**
 * The target branch that a person's files name, for what is asked before they are admitted. Undefined where none of them
 * declares a Workspace that can be read, as in a cluster.
 */
export function declaredTarget(folder: Pick<WorkspaceFolder, "path" | "operator">): string | undefined {
  const isOperators = (name: string): boolean => path.basename(name) === path.basename(folder.operator);
  const files = globSync("**/*.{yaml,yml}", { cwd: folder.path, exclude: isOperators });
  // A start must not parse every Project for it.
  const texts = files
    .sort()
    .map((file) => textOf(path.join(folder.path, file)))
    .filter((text) => text.includes("Workspace"));
  const documents = texts.flatMap((text) => [...parseAllDocuments(text)]);
  const workspace = documents.find(
    (document) => document.errors.length === 0 && document.get("kind") === "Workspace",
  );
  if (workspace === undefined) return undefined;
  const target = workspace.getIn(["spec", "repository", "targetBranch"]) ?? targetDefault;
  return typeof target === "string" ? target : undefined;
}

/** Empty where it can't be read: who admits the files tells why. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
