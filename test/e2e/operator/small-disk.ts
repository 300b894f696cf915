/** A disk that a test can fill: a file system of its own beneath an operator's `.bosun`, in a mount namespace of its own. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "vitest";
import { type OperatorClient, socketClient } from "../../../cmd/bosun/operator-client/socket-client.ts";
import { type WorkspaceFolder, workspaceFolder } from "../../../cmd/bosun/workspace-folder.ts";
import type { Scratch } from "./scratch.ts";

/** Whoever is not root becomes it in a namespace of users. */
const isRoot = process.getuid?.() === 0;

/** Skips a test where no disk can be made, and says so. */
export function needSmallDisks(context: TestContext): void {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-disk-"));
  try {
    const [file = "", ...words] = [...mounted(folder, 1), "true"];
    execFileSync(file, words, { stdio: "ignore" });
  } catch {
    const why = "no file system can be mounted here, so there is no disk to fill";
    console.warn(`Skipped: ${why}.`);
    context.skip(why);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is put before the command of an operator of `here` so that its `.bosun` is a disk of its own. */
export function onSmallDisk({ workspace }: Scratch, megabytes: number): readonly string[] {
  mkdirSync(workspace.operator, { recursive: true });
  return mounted(workspace.operator, megabytes);
}

/** The same for one that is to find what process `pid` has there. */
export function onDiskOf(pid: number, { repository }: Scratch): readonly string[] {
  const joined = isRoot ? ["--mount"] : ["--mount", "--user", "--preserve-credentials"];
  return ["nsenter", "--target", String(pid), ...joined, `--wd=${repository}`, "--"];
}

function mounted(folder: string, megabytes: number): readonly string[] {
  const made = isRoot ? ["--mount"] : ["--mount", "--map-root-user"];
  const mount = `mount -t tmpfs -o size=${megabytes}m,mode=700 small "$0" && exec "$@"`;
  return ["unshare", ...made, "--", "/bin/sh", "-c", mount, folder];
}

/** The disk of process `pid`, for who is not on it. */
export interface SmallDisk {
  workspace: WorkspaceFolder;
  client: OperatorClient;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
}

export function diskOf(pid: number, { repository }: Scratch): SmallDisk {
  const workspace = workspaceFolder(`/proc/${pid}/root${repository}`);
  const filler = path.join(workspace.operator, "filler");
  return {
    workspace,
    client: socketClient(workspace.socket),
    fill() {
      const file = openSync(filler, "a");
      for (const bytes of [1_000_000, 1]) writeUntilFull(file, Buffer.alloc(bytes));
      closeSync(file);
    },
    free: () => rmSync(filler),
  };
}

function writeUntilFull(file: number, piece: Uint8Array): void {
  try {
    while (writeSync(file, piece) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
