import type { Clock } from "../../runtime/clock.ts";
import { type RunResult, runCommand } from "../../sandbox/run.ts";
import { sandboxed, unsandboxed } from "../../sandbox/sandbox.ts";
import { workspaceMark } from "../../system/workspace-mark.ts";
import { sessionMarker } from "../process-tree.ts";
import type { SessionSpec, SetupCommand } from "../sessions.ts";

/** Where a session's commands run: its checkout, seen from inside the sandbox. */
export interface Workplace {
  checkout: string;
  run(command: string | readonly string[], timeoutSeconds: number): Promise<RunResult>;
  /** Runs the command that makes the checkout ready: the only one that may have a network. */
  setUp(setup: SetupCommand): Promise<RunResult>;
}

export interface WorkplaceOptions {
  spec: SessionSpec;
  /** False runs commands without a sandbox even where the spec asks for one: a rehearsal where none can be had. */
  sandboxed: boolean;
  /** Hidden beside HOME; see `workspacePlaces`. */
  hide: readonly string[];
  extraReadOnly: readonly string[];
  /** Ends what it runs; see `workspaceMark`. */
  stopLatch: string;
  /** HOME of a session without a sandbox: an empty folder. */
  home: string;
  clock: Clock;
}

/**
 * Nothing asks back, and nothing looks for newer versions of itself: in a HOME that is empty each time npm would do so at
 * each command, without a network, which takes it longer than its own start.
 */
const quiet = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  NO_UPDATE_NOTIFIER: "1",
  npm_config_update_notifier: "false",
};

interface SandboxChoice {
  network: "none" | "host";
  env?: Readonly<Record<string, string>>;
}

/**
 * The workplace of a session: no network, no credentials, the checkout alone writable, and not even that for a
 * reviewer; setup alone may have the network it is given. With `sandbox: Off` it is the machine as the person sees it.
 */
export function workplace({
  spec,
  sandboxed: wanted,
  hide,
  extraReadOnly,
  stopLatch,
  home,
  clock,
}: WorkplaceOptions): Workplace {
  // The marks let whatever escapes the sandbox's own kill be found and ended with the session.
  const marks = { ...workspaceMark(stopLatch), [sessionMarker]: spec.id };
  const env = { ...marks, ...quiet };
  const { checkout } = spec;
  const launch = (command: string | readonly string[], extra: SandboxChoice) =>
    spec.sandbox === "Off" || !wanted
      ? unsandboxed(command, { home, env: { ...env, ...extra.env } })
      : sandboxed(command, {
          checkout,
          checkoutWritable: spec.purpose === "execute",
          hide,
          extraReadOnly,
          network: extra.network,
          env: { ...env, ...extra.env },
        });
  return {
    checkout,
    run: (command, timeoutSeconds) =>
      runCommand({ launch: launch(command, { network: "none" }), cwd: checkout, timeoutSeconds, clock }),
    setUp: ({ run, network, timeoutSeconds }) =>
      // CI: as the checks run it, so that nothing asks back.
      runCommand({
        launch: launch(run, { network, env: { CI: "true" } }),
        cwd: checkout,
        timeoutSeconds,
        clock,
      }),
  };
}
