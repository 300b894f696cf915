import { mkdir, rm } from "node:fs/promises";
import type { Clock } from "../runtime/clock.ts";
import type { PidNamespace } from "../sandbox/pid-namespace.ts";
import { runCommand } from "../sandbox/run.ts";
import { type Launch, sandboxed, unsandboxed } from "../sandbox/sandbox.ts";
import type { CommitSource } from "./commit-source.ts";
import { copyIncluded, type Include } from "./include.ts";
import { judge } from "./judge.ts";
import type { CheckCommands, CheckResult, CommandName } from "./quality.ts";

export interface ChecksEnvironment {
  source: CommitSource;
  clock: Clock;
  /** Undefined runs the commands with the operator's own rights. */
  sandbox: { hide: readonly string[]; readOnly: readonly string[] } | undefined;
  /** What a command gets where it has no sandbox: its processes end with it all the same. */
  pids: PidNamespace;
  /** Whose commands they are; see `endCommandsOf`. */
  owner: string;
  /** In every command's environment: by it a stop finds what runs. */
  marks: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /**
   * Called with nothing between it and the start of a command, and when one has ended: what a stop killed has failed
   * nothing.
   *
   * @throws Error while the emergency stop is in force
   */
  refuseStopped(): void;
}

export interface ChecksRequest {
  commit: string;
  commands: CheckCommands;
  /** Where the checkout is made; must not exist. */
  folder: string;
  /** Whether `setup` may use the network; no other command ever does. */
  setupNetwork: boolean;
  include: Include | undefined;
  /** The files that `include` names. */
  included: readonly string[];
}

/** Runs `work` when it is its turn. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

const order: readonly CommandName[] = ["setup", "lint", "test", "build"];
/** So much of a command's output is kept, the end of it. */
const outputBytesMax = 1_048_576;

/**
 * Runs the commands on a clean checkout of `commit` at `folder`, in order, and removes it. After a failed setup
 * the others would tell nothing, so they do not run.
 *
 * @param how.inTurn - runs the commands when it is their turn; the checkout is made before that and removed after it
 * @param how.known - told the results before the checkout is removed, and waited for
 * @throws the signal's reason when aborted, or what `refuseStopped` throws: an interrupted check has no result
 */
export async function runChecks(
  environment: ChecksEnvironment,
  request: ChecksRequest,
  { inTurn, known }: { inTurn: InTurn; known(results: readonly CheckResult[]): Promise<void> },
): Promise<void> {
  const { folder, include } = request;
  const home = `${folder}.home`;
  try {
    await environment.source.checkOut(request.commit, folder);
    if (include !== undefined) await copyIncluded(include, request.included, folder);
    await mkdir(home, { recursive: true });
    await known(await inTurn(() => runCommands(environment, request, home)));
  } finally {
    await Promise.all(
      [folder, home].map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })),
    );
  }
}

async function runCommands(
  environment: ChecksEnvironment,
  { commands, folder, setupNetwork }: ChecksRequest,
  home: string,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const name of order) {
    const command = commands[name];
    if (command === undefined) continue;
    const network = name === "setup" && setupNetwork ? "host" : "none";
    const started = launch(environment, { run: command.run, folder, home, network });
    environment.refuseStopped();
    const ran = await runCommand({
      launch: started,
      cwd: folder,
      timeoutSeconds: command.timeoutSeconds,
      clock: environment.clock,
      owner: environment.owner,
      maxOutputBytes: outputBytesMax,
      signal: environment.signal,
    });
    environment.signal.throwIfAborted();
    environment.refuseStopped();
    const result = judge(name, command.run, ran);
    results.push(result);
    if (name === "setup" && result.result !== "Passed") break;
  }
  return results;
}

function launch(
  environment: ChecksEnvironment,
  { run, folder, home, network }: { run: string; folder: string; home: string; network: "none" | "host" },
): Launch {
  const env = { ...environment.marks, CI: "true" };
  if (environment.sandbox === undefined) return unsandboxed(run, { home, env, pids: environment.pids });
  return sandboxed(run, {
    checkout: folder,
    hide: environment.sandbox.hide,
    extraReadOnly: environment.sandbox.readOnly,
    env,
    network,
  });
}
