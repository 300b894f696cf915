/** Starting the gateway's process, at once or in two steps. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { TerminalError, TransientError } from "../runtime/errors.ts";
import { compileCache } from "../system/compile-cache.ts";
import { entryPath } from "../system/entry.ts";
import { workspaceMark } from "../system/workspace-mark.ts";
import { gatewayLog, keepGatewayLogShort } from "./gateway-log.ts";
import type { ProcessConfig } from "./process.ts";

/** What of its configuration a process needs to be started. */
export type ProcessPlace = Pick<ProcessConfig, "ledgerDirectory" | "stopLatch">;

/** A process that has read its program, and does nothing before it is told its configuration. */
export interface PreparedGateway {
  /** It, for the first who asks; undefined for others, and where it could not be started or has ended. */
  take(): Promise<ChildProcess | undefined>;
  /** Ends it, unless it was taken. */
  close(): void;
}

/**
 * Starts a process before its configuration is known: a start of Node with all that a gateway needs takes longer than
 * whatever the configuration waits for. It ends with whoever started it and when the stop latch is engaged. Never
 * fails: without it the gateway starts too, only later.
 */
export function prepareGateway(place: ProcessPlace): PreparedGateway {
  let isTaken = false;
  const spawning = spawnGateway(place, { isRestart: false }).catch(() => undefined);
  const take = async (): Promise<ChildProcess | undefined> => {
    if (isTaken) return undefined;
    isTaken = true;
    const child = await spawning;
    return child?.exitCode === null && child.signalCode === null ? child : undefined;
  };
  return { take, close: () => void take().then((child) => child?.stdin?.destroy()) };
}

export interface StartOptions {
  isRestart: boolean;
  /** Called with nothing between it and the start of the process, or its hearing what to do. */
  refuseStopped(): void;
  /** Taken where there is one. */
  prepared: PreparedGateway | undefined;
}

/**
 * Resolves once the gateway of `config` answers.
 *
 * @throws TerminalError LedgerUnusable when the ledger is damaged or missing; TransientError when it can't be started
 */
export async function startProcess(
  config: ProcessConfig,
  { isRestart, refuseStopped, prepared }: StartOptions,
): Promise<void> {
  const child = (await prepared?.take()) ?? (await spawnGateway(config, { isRestart, refuseStopped }));
  child.stdin?.on("error", () => {
    // It died before it read: then it says nothing on its ready pipe either.
  });
  try {
    refuseStopped();
  } catch (error) {
    // One that is told nothing ends.
    child.stdin?.destroy();
    throw error;
  }
  child.stdin?.end(JSON.stringify(config));
  const said = await text(child.stdio[3] as Readable);
  const answer = said === "" ? { ready: false, name: "", message: "it ended at once" } : JSON.parse(said);
  if (answer.ready) return;
  if (answer.name === "LedgerError") throw new TerminalError("LedgerUnusable", answer.message);
  const message = `The gateway did not start: ${answer.message}. See ${gatewayLog(config.ledgerDirectory)}.`;
  // The code says what a person can do, a full disk's for instance.
  const cause = Object.assign(new Error(answer.message), { code: answer.code });
  throw new TransientError("GatewayNotStarted", message, { cause });
}

async function spawnGateway(
  place: ProcessPlace,
  { isRestart, refuseStopped }: Pick<StartOptions, "isRestart"> & Partial<StartOptions>,
): Promise<ChildProcess> {
  const { ledgerDirectory, stopLatch } = place;
  await mkdir(ledgerDirectory, { recursive: true, mode: 0o700 });
  keepGatewayLogShort(ledgerDirectory);
  // To append, as emptying it needs.
  const log = await open(gatewayLog(ledgerDirectory), "a", 0o600);
  const { BOSUN_FAILPOINT, ANTHROPIC_API_KEY: _, ANTHROPIC_AUTH_TOKEN: __, ...inherited } = process.env;
  const env = {
    ...inherited,
    ...compileCache(),
    ...(stopLatch === undefined ? {} : workspaceMark(stopLatch)),
  };
  const heeds = stopLatch === undefined ? [] : [stopLatch];
  try {
    refuseStopped?.();
    const child = spawn(process.execPath, [...process.execArgv, entryPath("pkg/gateway/main"), ...heeds], {
      // A group of its own, so that the operator's Ctrl-C and death leave it alone.
      detached: true,
      stdio: ["pipe", log.fd, log.fd, "pipe"],
      // A failpoint kills once: the gateway that takes the dead one's place shall live.
      env: isRestart || BOSUN_FAILPOINT === undefined ? env : { ...env, BOSUN_FAILPOINT },
    });
    await once(child, "spawn");
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}
