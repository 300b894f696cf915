import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Prompts } from "./prompts.ts";
import { PROMPT_NAMES, type PromptName, promptsFrom } from "./render.ts";

/**
 * The prompts of a folder: one `<name>.md` for each.
 *
 * @throws Error when one is missing or does not agree with its front matter
 */
export function loadPrompts(directory: string): Prompts {
  const texts = PROMPT_NAMES.map((name) => [name, readFileSync(join(directory, `${name}.md`), "utf8")]);
  return promptsFrom(Object.fromEntries(texts) as Record<PromptName, string>);
}
