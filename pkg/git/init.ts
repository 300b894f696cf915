import { mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Git } from "./git.ts";

/** The configuration that `git init` wrote first, by who ran it. */
const written = new WeakMap<Git, Promise<string>>();

/** Without these git takes it for no git directory, or an alternate can't be named; all others it makes when it needs them. */
const folders = ["objects/info", "refs"];

/**
 * Makes a git directory with these settings, as `git init --template=` and `git config` would. Git itself runs for the
 * first one alone, where it finds out what the disk can do (letter case, links, Unicode forms): all others lie in the
 * same state folder.
 *
 * Few folders, since for each one a file system looks for a place anew: where there is no journal a folder took 0.8 ms, and
 * all that git makes two thirds of a second in a run of the demo.
 */
export async function initialize(
  git: Git,
  gitDirectory: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  // In one go: all of it takes less than a turn of the thread pool while the operator is busy, and a dozen were waited for.
  for (const folder of folders) mkdirSync(join(gitDirectory, folder), { recursive: true });
  const config = await configOf(git, gitDirectory);
  writeFileSync(join(gitDirectory, "config"), config + configText(settings));
  // Git wants a HEAD before anybody sets one.
  writeFileSync(join(gitDirectory, "HEAD"), "ref: refs/heads/main\n");
}

function configOf(git: Git, gitDirectory: string): Promise<string> {
  const known = written.get(git);
  if (known !== undefined) return known;
  const config = git
    .text({ gitDirectory }, ["init", "--quiet", "--template="])
    .then(() => readFile(join(gitDirectory, "config"), "utf8"));
  written.set(git, config);
  config.catch(() => written.delete(git));
  return config;
}

/**
 * Settings as a configuration file has them; git reads back exactly these values.
 *
 * @param settings - `section.name` to a value without NUL
 */
export function configText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([setting, value]) => {
      const [section, name] = setting.split(".");
      return `[${section}]\n\t${name} = "${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"\n`;
    })
    .join("");
}
