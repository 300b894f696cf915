/** What the doctor finds out about this machine and this repository, each with what to do. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { inspectRepository } from "../../../pkg/git/inspect.ts";
import { sandboxAvailable } from "../../../pkg/sandbox/available.ts";
import { pidNamespaceAvailable } from "../../../pkg/sandbox/pid-namespace.ts";
import { codeOf } from "../../../pkg/storage/file-calls.ts";
import { roomIn } from "../../../pkg/system/disk-room.ts";
import { isEngaged } from "../../../pkg/system/latch-files.ts";
import { shellWord } from "../../../pkg/system/shell-word.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { declaredTarget } from "../declared-target.ts";
import { NoOperatorError, socketClient } from "../operator-client/socket-client.ts";
import { whyUnheard } from "../operator-client/unheard.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

export interface Finding {
  state: "ok" | "warning" | "error";
  message: string;
  /** What to do; absent where all is well. */
  fix?: string;
}

/** Free space beneath which checkouts may not fit, in bytes. */
const diskBytesMin = 2 * 1024 ** 3;

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return { state: "ok", message: `Node ${version}` };
  return {
    state: "error",
    message: `Node ${version} is too old.`,
    fix: "Install Node 22.22 or newer (https://nodejs.org).",
  };
}

export async function sandboxFinding(): Promise<Finding> {
  const sandbox = await sandboxAvailable(systemClock);
  return sandbox.available
    ? { state: "ok", message: `Sandbox: ${sandbox.kind}` }
    : {
        state: "error",
        message: `No sandbox: ${sandbox.why}`,
        fix: `${sandbox.fix} A rehearsal runs without one.`,
      };
}

export async function containmentFinding(): Promise<Finding> {
  const namespaces = await pidNamespaceAvailable();
  return namespaces !== undefined
    ? {
        state: "ok",
        message: "Sessions end with all their processes: each has a process id namespace of its own",
      }
    : {
        state: "warning",
        message:
          "Process id namespaces can't be had: the processes of a session are found by a mark in their environment.",
        fix: "On Linux install util-linux (unshare, setpriv) and allow unprivileged user namespaces.",
      };
}

/** @param real - whether what is found would be used: the names of the variables that hold a credential */
export function credentialFinding(env: Readonly<Record<string, string | undefined>>): Finding {
  if (isSet(env, "ANTHROPIC_API_KEY")) return { state: "ok", message: "Credential: ANTHROPIC_API_KEY" };
  if (isSet(env, "ANTHROPIC_AUTH_TOKEN") && isSet(env, "ANTHROPIC_BASE_URL")) {
    return { state: "ok", message: `Credential: ANTHROPIC_AUTH_TOKEN for ${env.ANTHROPIC_BASE_URL}` };
  }
  return {
    state: "warning",
    message: "No credential: only a rehearsal can run.",
    fix: "Set ANTHROPIC_API_KEY, or ANTHROPIC_AUTH_TOKEN with ANTHROPIC_BASE_URL. Without: bosun up --rehearse",
  };
}

function isSet(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  return (env[name] ?? "") !== "";
}

export async function repositoryFindings(folder: WorkspaceFolder): Promise<Finding[]> {
  const { repository } = folder;
  const problems = await inspectRepository(repository, { targetBranch: declaredTarget(folder) });
  if (problems.length === 0) return [{ state: "ok", message: `Repository: ${repository}` }];
  return problems.map(({ severity, message, fix }) => ({ state: severity, message, fix }));
}

export function folderFinding({ path: folder, operator }: WorkspaceFolder): Finding {
  if (!existsSync(folder)) {
    return { state: "warning", message: `There is no ${folder}.`, fix: "Run: bosun init" };
  }
  const closed = [folder, operator].find((one) => !isOpen(one));
  if (closed !== undefined)
    return {
      state: "error",
      message: `${closed} can't be read and written.`,
      fix: `chmod u+rwx ${shellWord(closed)}`,
    };
  const isWritableByOthers = (statSync(folder).mode & 0o022) !== 0;
  return isWritableByOthers
    ? {
        state: "warning",
        message: `Others may write to ${folder}: they could declare work.`,
        fix: `chmod go-w ${shellWord(folder)}`,
      }
    : { state: "ok", message: `Folder: ${folder}` };
}

/** One that is not there yet will be. */
function isOpen(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return codeOf(error) === "ENOENT";
  }
}

export async function diskFinding(env: Readonly<Record<string, string | undefined>>): Promise<Finding> {
  const state = env.XDG_STATE_HOME || path.join(os.homedir(), ".local", "state");
  const free = roomIn(state).bytes;
  const shown = `${(free / 1024 ** 3).toFixed(1)} GiB free for checkouts in ${state}`;
  return free >= diskBytesMin
    ? { state: "ok", message: `Disk: ${shown}` }
    : {
        state: "warning",
        message: `Only ${shown}.`,
        fix: "Free some space, or set XDG_STATE_HOME to a larger disk.",
      };
}

export async function operatorFinding(folder: WorkspaceFolder): Promise<Finding> {
  const { socket, stopLatch } = folder;
  if (isEngaged(stopLatch)) {
    return { state: "warning", message: "The emergency stop is engaged: nothing runs.", fix: "bosun resume" };
  }
  try {
    await socketClient(socket).list("Workspace");
    return { state: "ok", message: "An operator is running" };
  } catch (error) {
    if (error instanceof NoOperatorError) {
      const unheard = await whyUnheard(folder);
      if (unheard === undefined) return { state: "ok", message: "No operator is running" };
      return { state: "warning", message: unheard, fix: "Free some space where a disk is full." };
    }
    return {
      state: "error",
      message: `The operator doesn't answer: ${String(error)}`,
      fix: "End it and start `bosun up` again.",
    };
  }
}
