/** The entry of VS Code's settings that gives the files of `.claude-sessions/` their JSON Schema. */
import { type ParseError, parse } from "jsonc-parser";
import { FOLDER_NAME } from "../workspace-folder.ts";
import { insertMember } from "./insert-member.ts";
import { SCHEMA_PATH } from "./schema-copy.ts";

/** The setting of the YAML extension (redhat.vscode-yaml) and of everything else on yaml-language-server. */
const setting = "yaml.schemas";

/** As for the operator: both endings are read. */
const patterns = [`${FOLDER_NAME}/**/*.yaml`, `${FOLDER_NAME}/**/*.yml`];
const ourSchemas = { [SCHEMA_PATH]: patterns };

export type SettingsEdit =
  /** `text` is the settings with our entry. */
  | { is: "added"; text: string }
  /** There is an entry for our schema, ours or as a person changed it. */
  | { is: "there" }
  /** A person gives these files the schema `theirs`. */
  | { is: "theirs"; theirs: string }
  /** It can't be added to: `why` ends a sentence. */
  | { is: "unclear"; why: string };

/**
 * `settings` (JSON with comments) with our entry added, or why not. What else stands there stays as it is, to the
 * character; indentation and line ends follow it. No entry is ever changed.
 *
 * @param settings - undefined where there is no file
 */
export function addYamlSchemas(settings: string | undefined): SettingsEdit {
  const mark = settings?.startsWith("\uFEFF") ? "\uFEFF" : "";
  const text = settings?.slice(mark.length) ?? "";
  if (text.trim() === "") return { is: "added", text: `${mark}${settingsLines()}\n` };

  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) return { is: "unclear", why: "it is no valid JSON" };
  if (!isObject(value)) return { is: "unclear", why: "it is no JSON object" };
  const known = value[setting];
  if (known !== undefined && !isObject(known)) return { is: "unclear", why: `its "${setting}" is no object` };

  for (const [schema, files] of Object.entries(known ?? {})) {
    if (withoutDot(schema) === SCHEMA_PATH) return { is: "there" };
    if (isForUs(files)) return { is: "theirs", theirs: schema };
  }
  const added =
    known === undefined
      ? insertMember(text, [], setting, ourSchemas)
      : insertMember(text, [setting], SCHEMA_PATH, patterns);
  return { is: "added", text: mark + added };
}

/** The whole of a settings file that says nothing else, without the last line end. */
export function settingsLines(): string {
  return JSON.stringify({ [setting]: ourSchemas }, undefined, 2);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a pattern, or one of a list, is about our folder and no other. */
function isForUs(files: unknown): boolean {
  return [files].flat().some((pattern) => typeof pattern === "string" && pattern.includes(FOLDER_NAME));
}

function withoutDot(path: string): string {
  return path.replace(/^\.\//, "");
}
