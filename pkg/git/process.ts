import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open } from "node:fs/promises";

export interface ProcessRequest {
  file: string;
  args: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** What it reads; nothing when left out. */
  stdin?: string;
  /** Read instead of `stdin`; never through a link. */
  stdinFile?: string;
  /** Written instead of returning `stdout`; must not exist. */
  stdoutFile?: string;
  /** How much of the start of `stdout` is kept; all of it when left out. */
  maxBytes?: number;
}

export interface ProcessOutput {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

export type RunProcess = (request: ProcessRequest) => Promise<ProcessOutput>;

/** Runs a program to its end. Throws only when it cannot be started. */
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
      child.stdin?.end(request.stdin);
      child.once("error", (cause) => reject(new Error(`Cannot start ${request.file}.`, { cause })));
      child.once("close", (code) =>
        resolve({
          exitCode: code ?? 128,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString("utf8"),
        }),
      );
    });
  } finally {
    await input?.close();
    await output?.close();
  }
};
