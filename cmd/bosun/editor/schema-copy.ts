/** The JSON Schema of this version of Bosun, where the editor of a workspace finds it. */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { FOLDER_NAME, type WorkspaceFolder } from "../workspace-folder.ts";

/** Relative to the repository, as settings name it: it means the same in every clone and on every machine. */
export const SCHEMA_PATH = `${FOLDER_NAME}/.bosun/schemas/bosun.json`;

/**
 * Brings the workspace's copy of `schemas/bosun.json` up to this version; writes nothing when it is. A copy, since an
 * editor reads no network and knows no path into whatever folder the command is installed in; it is renewed at each
 * `bosun init` and `bosun up`, so that it speaks of the fields that the operator takes.
 */
export function refreshSchemaCopy({ repository, operator }: WorkspaceFolder): void {
  const target = path.join(repository, SCHEMA_PATH);
  const text = readFileSync(path.join(packageRoot(), "schemas/bosun.json"), "utf8");
  if (read(target) === text) return;
  mkdirSync(operator, { recursive: true, mode: 0o700 });
  mkdirSync(path.dirname(target), { recursive: true });
  // An editor that reads it meanwhile sees the old one or the new one.
  replaceFileSync(target, text, { durable: false, writer: String(process.pid) });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not there yet.
    return undefined;
  }
}
