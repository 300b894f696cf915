/** Edits that stand in a person's files and are not in force: the operator writes them down, `status` and `why` show them. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { replaceFileSync } from "../../pkg/storage/replace-file.ts";
import type { WorkspaceFolder } from "./workspace-folder.ts";

type Folder = Pick<WorkspaceFolder, "operator">;

/** Replaces what was written before. One that can't be written is missing from a page: no reason to end. */
export function writeRefusedEdits(folder: Folder, messages: readonly string[]): void {
  try {
    if (messages.length === 0) rmSync(fileOf(folder), { force: true });
    else replaceFileSync(fileOf(folder), JSON.stringify(messages), { durable: false });
  } catch {
    // They were told of as Events, too.
  }
}

/** As the last operator saw them, a problem each, for people. */
export function readRefusedEdits(folder: Folder): readonly string[] {
  try {
    return JSON.parse(readFileSync(fileOf(folder), "utf8")) as readonly string[];
  } catch {
    // There are none.
    return [];
  }
}

function fileOf({ operator }: Folder): string {
  return path.join(operator, "refused-edits.json");
}
