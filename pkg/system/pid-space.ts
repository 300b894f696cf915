import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Names the running kernel and the pid namespace of this process: a pid means something only within both. A process
 * known from another pid space can't be looked for here: whether it lives is unknown.
 */
export function pidSpace(): string {
  if (process.platform !== "linux") return hostname();
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return `${boot} ${statSync("/proc/self/ns/pid").ino}`;
}
