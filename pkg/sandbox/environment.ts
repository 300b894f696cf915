import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Variables of the operator that a command may see; every other one, credentials included, stays outside. */
const passed = ["PATH", "LANG", "LC_ALL", "TERM", "TZ"] as const;

const defaultPath = "/usr/local/bin:/usr/bin:/bin";

/**
 * The whole environment of a command: an allow-list of the operator's, `home` as HOME, where rustup's toolchains are,
 * since that is looked for in HOME, then `given`, which wins.
 *
 * @param given - chosen by the caller for this command; must hold no credential
 */
export function commandEnvironment(
  given: Readonly<Record<string, string>>,
  home: string,
  operator: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of passed) {
    const value = operator[name];
    if (value !== undefined) environment[name] = value;
  }
  environment.PATH ??= defaultPath;
  const toolchains = rustupHome(operator);
  if (toolchains !== undefined) environment.RUSTUP_HOME = toolchains;
  return { ...environment, HOME: home, TMPDIR: "/tmp", ...given };
}

/** Undefined where there are no toolchains: then cargo and rustc on PATH, if any, are no proxies of rustup. */
function rustupHome(operator: Readonly<Record<string, string | undefined>>): string | undefined {
  const place = operator.RUSTUP_HOME || join(operator.HOME || homedir(), ".rustup");
  return existsSync(join(place, "toolchains")) ? place : undefined;
}
