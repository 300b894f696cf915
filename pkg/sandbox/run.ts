import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../runtime/clock.ts";
import { endMarked, markerName, newMarker } from "./leftovers.ts";
import type { Launch } from "./sandbox.ts";
import { Tail } from "./tail.ts";

export interface RunRequest {
  /** From `sandboxed` or `unsandboxed`. */
  launch: Launch;
  /** Where the process starts; a sandbox goes on to its own folder. */
  cwd: string;
  timeoutSeconds: number;
  clock: Clock;
  /** Who finds the command by `endCommandsOf` should this process die before it ends; nobody when left out. */
  owner?: string;
  /** How much of the end of the output is kept; 1 MiB when left out. */
  maxOutputBytes?: number;
  /** Ends the command like a time-out; `timedOut` stays false. */
  signal?: AbortSignal;
  /** Fed to the command; nothing when left out. */
  stdin?: string;
}

export interface RunResult {
  /** Of the command; 128 and the signal when it died of one, 127 when it could not be started. */
  exitCode: number;
  timedOut: boolean;
  /** Standard output and error as they came, the tail of them. */
  output: string;
  /** By the clock's `elapsed`. */
  seconds: number;
}

/**
 * Runs a command to its end, and leaves no process behind: when it exits, times out or is aborted, all that it
 * started is killed (the process id namespace of a sandbox; without one, the process group and whatever carries
 * this command's mark in its environment). Never throws for what the command does.
 */
export async function runCommand(request: RunRequest): Promise<RunResult> {
  const { launch, clock } = request;
  const started = clock.elapsed();
  const output = new Tail(request.maxOutputBytes ?? 1_048_576);
  const marker = newMarker(request.owner ?? "");
  const env = launch.contained ? launch.env : { ...launch.env, [markerName]: marker };
  const child = spawn(launch.file, [...launch.args], {
    cwd: request.cwd,
    env,
    detached: true,
    stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // For want of open files it has none, whatever its type says.
  const streams = [child.stdout, child.stderr].filter((stream): stream is Readable => Boolean(stream));
  for (const stream of streams) stream.on("data", (chunk: Buffer) => output.add(chunk));
  // The command may end without reading: that is its affair.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(request.stdin);

  const exited = new Promise<number>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      output.add(Buffer.from(`Cannot start ${launch.file}: ${error.code ?? error.message}\n`));
      resolve(127);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? "SIGKILL"] ?? 9)));
  });
  const kill = () => killGroup(child.pid);

  const limit = new AbortController();
  let timedOut = false;
  clock.sleep(request.timeoutSeconds * 1000, limit.signal).then(
    () => {
      timedOut = true;
      kill();
    },
    () => undefined, // The command ended first.
  );
  if (request.signal?.aborted === true) kill();
  request.signal?.addEventListener("abort", kill, { once: true });

  const exitCode = await exited;
  limit.abort();
  request.signal?.removeEventListener("abort", kill);
  if (!launch.contained) {
    kill();
    await endMarked(marker);
  }
  await Promise.all(streams.map((stream) => drained(stream)));
  return { exitCode, timedOut, output: output.text(), seconds: (clock.elapsed() - started) / 1000 };
}

/** Kills the process group; a group that is gone already is what was wanted. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** All writers are dead by now, so the end of the stream is near. */
function drained(stream: Readable): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once("close", () => resolve()));
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};
