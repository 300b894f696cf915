import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";

/**
 * `here`: a process of that space can be looked for. `ended`: this machine was started anew since, so none is left.
 * `elsewhere`: in another container or on another machine; whether it lives is unknown.
 */
export type Whereabouts = "here" | "ended" | "elsewhere";

/**
 * Names the machine, the running kernel and the pid namespace of this process: a pid means something only within all
 * three.
 */
export function pidSpace(): string {
  if (process.platform !== "linux") return hostname();
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return `${machineId()} ${boot} ${statSync("/proc/self/ns/pid").ino}`;
}

/** Where the pids of `space` belong, seen from `own`. */
export function whereabouts(space: string, own: string): Whereabouts {
  if (space === own) return "here";
  const [machine, boot] = space.split(" ");
  const [ownMachine, ownBoot] = own.split(" ");
  return machine === ownMachine && machine !== unknownMachine && boot !== ownBoot ? "ended" : "elsewhere";
}

const unknownMachine = "-";

function machineId(): string {
  try {
    return readFileSync("/etc/machine-id", "latin1").trim() || unknownMachine;
  } catch {
    // Few containers have one.
    return unknownMachine;
  }
}
