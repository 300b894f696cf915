import { mkdir, rm } from "node:fs/promises";
import type { Clock } from "../runtime/clock.ts";
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
  /** Whether `setup` may use the network; no other command ever does. */
  setupNetwork: boolean;
  include: Include | undefined;
  /** Whose commands they are; see `endCommandsOf`. */
  owner: string;
  signal: AbortSignal;
}

const order: readonly CommandName[] = ["setup", "lint", "test", "build"];
const outputBytesMax = 1_048_576;

/**
 * Runs the commands on a clean checkout of `commit` at `folder`, in order, and removes it. After a failed setup
 * the others would tell nothing, so they do not run.
 *
 * @throws the signal's reason when aborted: an interrupted check has no result
 */
export async function runChecks(
  environment: ChecksEnvironment,
  request: { commit: string; commands: CheckCommands; included: readonly string[]; folder: string },
): Promise<readonly CheckResult[]> {
  const { commands, folder } = request;
  const home = `${folder}.home`;
  try {
    await environment.source.checkOut(request.commit, folder);
    if (environment.include !== undefined) {
      await copyIncluded(environment.include, request.included, folder);
    }
    await mkdir(home, { recursive: true });
    const results: CheckResult[] = [];
    for (const name of order) {
      const command = commands[name];
      if (command === undefined) continue;
      environment.signal.throwIfAborted();
      const ran = await runCommand({
        launch: launch(environment, { name, run: command.run, folder, home }),
        cwd: folder,
        timeoutSeconds: command.timeoutSeconds,
        clock: environment.clock,
        owner: environment.owner,
        maxOutputBytes: outputBytesMax,
        signal: environment.signal,
      });
      environment.signal.throwIfAborted();
      const result = judge(name, command.run, ran);
      results.push(result);
      if (name === "setup" && result.result !== "Passed") break;
    }
    return results;
  } finally {
    await Promise.all(
      [folder, home].map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })),
    );
  }
}

function launch(
  environment: ChecksEnvironment,
  { name, run, folder, home }: { name: CommandName; run: string; folder: string; home: string },
): Launch {
  const env = { CI: "true" };
  if (environment.sandbox === undefined) return unsandboxed(run, { home, env });
  return sandboxed(run, {
    checkout: folder,
    hide: environment.sandbox.hide,
    extraReadOnly: environment.sandbox.readOnly,
    env,
    network: name === "setup" && environment.setupNetwork ? "host" : "none",
  });
}
