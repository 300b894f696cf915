import type { PidNamespace } from "../sandbox/pid-namespace.ts";
import { compileCache } from "../system/compile-cache.ts";
import { sessionMarker } from "./process-tree.ts";

/** Environment variable that says which attempt at its session a host is. */
export const attemptVariable = "BOSUN_ATTEMPT";

/** A process to start. */
export interface HostProcess {
  file: string;
  args: readonly string[];
  env: Record<string, string>;
}

/**
 * The process that runs `command` as a session host, with `marks` in its environment by which a stop finds it. One that
 * waits for its session is told its attempt later.
 *
 * With namespaces the host is process 1 of its own: `unshare` stands outside and takes it along when killed, and
 * when the host ends the kernel ends everything in the namespace, before the host itself is gone. No `--pdeathsig`
 * ties the outermost process to the operator, since a session outlives it. The shell before it notes its pid,
 * which `exec` keeps, and leaves /proc open, by which the host learns the pid that the operator knows it by.
 */
export function hostProcess(
  { session, attempt }: { session: string; attempt?: string },
  command: readonly string[],
  { namespaces, marks }: { namespaces: PidNamespace; marks: Readonly<Record<string, string>> },
): HostProcess {
  const own = { [sessionMarker]: session, ...(attempt === undefined ? {} : { [attemptVariable]: attempt }) };
  const env = { ...passedEnvironment(), ...compileCache(), ...marks, ...own };
  const note = "export BOSUN_OUTERMOST=$$";
  if (namespaces === undefined) {
    return { file: "/bin/sh", args: ["-c", `${note}; exec "$@"`, "sh", ...command], env };
  }
  const script = `${note} BOSUN_OUTER_PROC=9; exec 9</proc; exec unshare "$@"`;
  return { file: "/bin/sh", args: ["-c", script, "sh", ...namespaces, "--", ...command], env };
}

/** What a host may know of the operator's environment. Credentials are not among it. */
function passedEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
