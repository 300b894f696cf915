import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { endLate } from "./end-late.ts";
import { hold } from "./hold.ts";
import { notStarted } from "./not-started.ts";
import { patience } from "./patience.ts";

export interface ProcessRequest {
  file: string;
  args: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** What it reads; nothing when left out. */
  stdin?: string;
  /** Of `stdin`; UTF-8 when left out. */
  encoding?: "latin1";
  /** Read instead of `stdin`; never through a link. */
  stdinFile?: string;
  /** Written instead of returning `stdout`; must not exist. */
  stdoutFile?: string;
  /** How much of the start of `stdout` is kept; all of it when left out. */
  maxBytes?: number;
  limit: ProcessLimit;
}

export interface ProcessLimit {
  /** How long it is waited for, in milliseconds. */
  ms: number;
  /** Between asking one that is late to end and killing it, in milliseconds. */
  graceMs: number;
  /** `Leave`: one that is late goes on, since what it does must not be done by half. */
  whenOver: "End" | "Leave";
}

/** A process did not end within its limit: what it did is unknown. */
export class LateProcess extends Error {
  override readonly name = "LateProcess";
  /** `GoesOn`: it could not be ended, or was not to be. */
  readonly fate: "Ended" | "GoesOn";
  readonly pid: number | undefined;

  constructor(file: string, fate: "Ended" | "GoesOn", pid: number | undefined) {
    super(`${file} did not end in time.`);
    this.fate = fate;
    this.pid = pid;
  }
}

export interface ProcessOutput {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

export type RunProcess = (request: ProcessRequest) => Promise<ProcessOutput>;

/**
 * Runs a program to its end.
 *
 * @throws Error when it cannot be started
 * @throws LateProcess when it does not end within its limit
 */
export const runProcess: RunProcess = async (request) => {
  const input =
    request.stdinFile === undefined
      ? undefined
      : await open(request.stdinFile, constants.O_RDONLY | constants.O_NOFOLLOW);
  const output = request.stdoutFile === undefined ? undefined : await open(request.stdoutFile, "wx");
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(request.file, [...request.args], {
        cwd: request.cwd,
        env: request.env,
        stdio: [input?.fd ?? (request.stdin === undefined ? "ignore" : "pipe"), output?.fd ?? "pipe", "pipe"],
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let room = request.maxBytes ?? Number.POSITIVE_INFINITY;
      child.stdout?.on("data", (chunk: Buffer) => {
        if (room <= 0) return;
        const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
        room -= kept.length;
        stdout.push(kept);
      });
      child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
      // A program that ends without reading its input tells by its exit code why.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(request.stdin, request.encoding ?? "utf8");
      let isLate = false;
      const waiting = patience(request.limit.ms, () => {
        isLate = true;
        giveUp(child, request).then(reject, reject);
      });
      child.once("error", (cause) => {
        waiting.end();
        reject(notStarted(request.file, cause));
      });
      child.once("close", (code) => {
        waiting.end();
        // Of one that was ended as late, an exit code says nothing, unless it was done after all.
        if (isLate && code !== 0) return;
        resolve({
          exitCode: code ?? 128,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString("utf8"),
        });
      });
    });
  } finally {
    await input?.close();
    await output?.close();
  }
};

async function giveUp(child: ChildProcess, { file, limit }: ProcessRequest): Promise<LateProcess> {
  if (limit.whenOver === "End" && (await endLate(child, limit.graceMs)))
    return new LateProcess(file, "Ended", child.pid);
  hold(child, "unref");
  return new LateProcess(file, "GoesOn", child.pid);
}
