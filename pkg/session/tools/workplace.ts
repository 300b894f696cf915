import type { Clock } from "../../runtime/clock.ts";
import { type RunResult, runCommand } from "../../sandbox/run.ts";
import { sandboxed, unsandboxed } from "../../sandbox/sandbox.ts";
import { sessionMarker } from "../process-tree.ts";
import type { SessionSpec } from "../sessions.ts";

/** Where a session's commands run: its checkout, seen from inside the sandbox. */
export interface Workplace {
  checkout: string;
  run(command: string | readonly string[], timeoutSeconds: number): Promise<RunResult>;
}

export interface WorkplaceOptions {
  spec: SessionSpec;
  /** False runs commands without a sandbox even where the spec asks for one: a rehearsal where none can be had. */
  sandboxed: boolean;
  /** Hidden beside HOME; see `workspacePlaces`. */
  hide: readonly string[];
  extraReadOnly: readonly string[];
  /** HOME of a session without a sandbox: an empty folder. */
  home: string;
  clock: Clock;
}

/**
 * The workplace of a session: no network, no credentials, the checkout alone writable, and not even that for a
 * reviewer. With `sandbox: Off` it is the machine as the person sees it.
 */
export function workplace({
  spec,
  sandboxed: wanted,
  hide,
  extraReadOnly,
  home,
  clock,
}: WorkplaceOptions): Workplace {
  // The mark lets whatever escapes the sandbox's own kill be found and ended with the session.
  const env = { [sessionMarker]: spec.id, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" };
  const { checkout } = spec;
  return {
    checkout,
    run(command, timeoutSeconds) {
      const launch =
        spec.sandbox === "Off" || !wanted
          ? unsandboxed(command, { home, env })
          : sandboxed(command, {
              checkout,
              checkoutWritable: spec.purpose === "execute",
              hide,
              extraReadOnly,
              env,
              network: "none",
            });
      return runCommand({ launch, cwd: checkout, timeoutSeconds, clock });
    },
  };
}
