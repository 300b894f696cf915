/** Which command the tests start as a process. */
import path from "node:path";
import { builtPackage } from "./built-package.ts";

/** Holds a file for Node. */
const variable = "BOSUN_TEST_COMMAND";
export const fromSources = path.resolve(import.meta.dirname, "../../bin/bosun.mjs");

/** A file for Node: the built package's after `startBuiltPackage`, else the one in this checkout, which runs the sources. */
export function bosunCommand(): string {
  return process.env[variable] ?? fromSources;
}

/**
 * Builds the package and has this process and those that it starts take its command. An operator and its sessions take
 * half the processor time that they take from the sources, of which each process reads some hundred files.
 */
export function startBuiltPackage(): void {
  process.env[variable] ??= builtPackage();
}

/** What vitest calls before the first test of a project. */
export default startBuiltPackage;
