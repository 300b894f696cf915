/** `bosun kubectl ...`: the kubectl of this machine, on this workspace. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { isOperatorListening } from "../operator-client/listening.ts";
import { whyUnheard } from "../operator-client/unheard.ts";
import { UserError } from "../user-error.ts";
import { findWorkspace } from "../workspace-folder.ts";

/**
 * Runs kubectl as if a person had typed it; it ends as kubectl ended.
 *
 * @throws UserError when no operator runs, or there is no kubectl
 */
export async function kubectl({ cwd, env }: Context, args: readonly string[]): Promise<void> {
  const folder = findWorkspace(cwd);
  if (!(await isOperatorListening(folder)))
    throw new UserError(
      (await whyUnheard(folder)) ??
        `No operator is running in ${folder.repository}, so kubectl has nothing to talk to. Start one with \`bosun up\`.`,
    );
  if (!existsSync(folder.kubeconfig))
    throw new UserError(
      "The operator is still starting: it has not served kubectl yet. Try again in a moment.",
    );
  const ended = await run("kubectl", args, { ...env, KUBECONFIG: folder.kubeconfig });
  if (typeof ended === "number") {
    if (ended !== 0) throw new ExitCode(ended);
    return;
  }
  // Whoever started this process sees it end as kubectl did.
  process.kill(process.pid, ended);
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    // A terminal's Ctrl-C reaches kubectl by itself, and kubectl decides what it means.
    const wait = (): void => {};
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
    // Before kubectl starts, or a signal in between would end this process and leave kubectl behind.
    process.on("SIGINT", wait);
    for (const signal of passed) process.on(signal, pass);
    const child = spawn(program, args, { env, stdio: "inherit" });
    const release = (): void => {
      process.off("SIGINT", wait);
      for (const signal of passed) process.off(signal, pass);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      release();
      if (error.code !== "ENOENT") return reject(error);
      reject(
        new UserError(
          "There is no kubectl in PATH. Install it (https://kubernetes.io/docs/tasks/tools/), or use `bosun get`, `bosun describe` and the others.",
          { cause: error },
        ),
      );
    });
    child.once("close", (code, signal) => {
      release();
      resolve(signal ?? code ?? 1);
    });
  });
}

const passed = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;
