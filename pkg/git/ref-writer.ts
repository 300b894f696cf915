import { type ChildProcess, spawn } from "node:child_process";
import type { TransientError } from "../runtime/errors.ts";
import { endIdle } from "./end-idle.ts";
import { endLate } from "./end-late.ts";
import { hold } from "./hold.ts";
import { type GitLimits, gitLimits } from "./limits.ts";
import { notStarted } from "./not-started.ts";
import type { StayingProcess } from "./object-reader.ts";
import { patience } from "./patience.ts";
import { gitTimedOut } from "./timed-out.ts";

/** So long a process is used, in milliseconds: a setting of the person's that changes is heeded by the next. */
const lifeMs = 10_000;
const committed = "commit: ok\n";

export interface Transacted {
  /** 0: all is done and on the disk as git's own settings want it. Anything else: nothing is, as `stderr` says. */
  exitCode: number;
  stderr: string;
}

/** Lines of a transaction as `git update-ref --stdin` reads them. */
export function transaction(lines: readonly string[]): string {
  return `${["start", ...lines, "prepare", "commit"].join("\n")}\n`;
}

/**
 * Makes transactions on refs through one `git update-ref --stdin` that stays: a process for each takes as long as ten
 * transactions.
 *
 * One that fails ends the process, and the next starts another. When this process ends, however, git finds the end of its
 * input and gives up what is not committed.
 */
export class RefWriter {
  readonly #process: StayingProcess;
  readonly #limits: Pick<GitLimits, "quickMs" | "graceMs">;
  #child: ChildProcess | undefined;
  /** Those that were told to end are among them until they have. */
  readonly #living = new Set<ChildProcess>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(process: StayingProcess, limits: Pick<GitLimits, "quickMs" | "graceMs"> = gitLimits) {
    this.#process = process;
    this.#limits = limits;
  }

  /**
   * @param lines - of a transaction: `update`, `delete`, `verify`
   * @throws Error when git can't be started
   * @throws TransientError GitTimedOut when git doesn't end: whether anything was done is unknown
   */
  transact(lines: readonly string[]): Promise<Transacted> {
    const work = async (): Promise<Transacted> => {
      const done = await this.#try(lines);
      // Killed while it had nothing to do, say: what it did not even begin another one may do.
      const said = done.isBegun || done.stderr !== "" ? done : await this.#try(lines);
      return { exitCode: said.exitCode, stderr: said.stderr };
    };
    const result = this.#last.then(work, work);
    this.#last = result;
    return result;
  }

  /** Ends its process after the transaction that it is at, and waits until it is gone; the next one starts another. */
  async end(): Promise<void> {
    await this.#last.catch(() => undefined); // Told to whoever wanted it.
    this.#child = undefined;
    await Promise.all([...this.#living].map((child) => endIdle(child, this.#limits.graceMs)));
  }

  #try(lines: readonly string[]): Promise<Transacted & { isBegun: boolean }> {
    const child = this.#child ?? this.#start();
    hold(child, "ref");
    return new Promise((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      let isLate = false;
      const waiting = patience(this.#limits.quickMs, () => {
        isLate = true;
        this.#endLate(child).then(reject, reject);
      });
      const over = (exitCode: number): void => {
        waiting.end();
        child.stdout?.off("data", hear);
        child.stderr?.off("data", read);
        child.off("close", close).off("error", fail);
        resolve({ exitCode, stderr, isBegun: stdout !== "" });
      };
      const hear = (chunk: Buffer): void => {
        stdout += chunk.toString("latin1");
        if (!stdout.endsWith(committed)) return;
        hold(child, "unref");
        over(0);
      };
      const read = (chunk: Buffer): void => {
        stderr += chunk.toString("utf8");
      };
      // Whatever its code: it has not said that it is done. Of one that was ended as late that says nothing.
      const close = (code: number | null): void => (isLate ? undefined : over(code || 128));
      const fail = (cause: Error): void => {
        waiting.end();
        reject(notStarted(this.#process.file, cause));
      };
      child.stdout?.on("data", hear);
      child.stderr?.on("data", read);
      child.once("close", close).once("error", fail);
      child.stdin?.write(transaction(lines));
    });
  }

  /** One that could not be started says so by an error; for want of open files it has no pipes either. */
  #start(): ChildProcess {
    const { file, args, env, cwd } = this.#process;
    const child = spawn(file, [...args], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#living.add(child);
    for (const event of ["error", "exit"]) child.on(event, () => this.#living.delete(child));
    // With its input closed it ends, after the transaction that it may be at.
    const end = (): void => {
      this.#forget(child);
      child.stdin?.end();
    };
    const ending = setTimeout(end, lifeMs).unref();
    const gone = (): void => {
      clearTimeout(ending);
      this.#forget(child);
    };
    // A process that ends without reading its input tells by its exit code why.
    child.stdin?.on("error", gone);
    child.on("error", gone);
    child.on("exit", gone);
    return child;
  }

  /** The next transaction is another process's. One that can't be ended holds its locks until it does. */
  async #endLate(child: ChildProcess): Promise<TransientError> {
    this.#forget(child);
    const fate = (await endLate(child, this.#limits.graceMs)) ? "Ended" : "GoesOn";
    const { args, cwd } = this.#process;
    return gitTimedOut({ args, cwd, ms: this.#limits.quickMs }, { fate, pid: child.pid });
  }

  #forget(child: ChildProcess): void {
    if (child === this.#child) this.#child = undefined;
  }
}
