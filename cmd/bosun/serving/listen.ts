import { createHash } from "node:crypto";
import type { Server } from "node:net";
import { nodeFileSystem as fs } from "../../../pkg/storage/node-file-system.ts";
import { replaceFile } from "../../../pkg/storage/replace-file.ts";
import { UserError } from "../user-error.ts";

export interface Address {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

/**
 * Listens there and nowhere else.
 *
 * @throws UserError when that can't be: the port is taken, or the address is not this machine's
 */
export async function listenAt(server: Server, { host, port }: Address): Promise<void> {
  try {
    await listening(server, host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = reasons[code ?? ""];
    if (why === undefined) throw error;
    throw new UserError(`Can't listen at ${host}:${port}: ${why}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there. Give another port, or 0 for a free one.",
  EADDRNOTAVAIL: "this machine has no such address.",
  ENOTFOUND: "no such host is known.",
  EAI_AGAIN: "no such host is known.",
  EACCES: "ports below 1024 are not yours to take.",
};

/**
 * Listens at the port that `file` keeps, else at one that `seed` leads to, else at the next one that is free. The port
 * is then kept: clients cache what a server serves by its address alone.
 *
 * @throws UserError when no port of the range is free
 */
export async function listenAtKeptPort(
  server: Server,
  { host, file, seed }: { host: string; file: string; seed: string },
): Promise<void> {
  const kept = Number((await fs.read(file))?.toString("utf8").trim());
  const start = isInRange(kept) ? kept - portMin : hash(seed) % portCount;
  for (let tried = 0; tried < portCount; tried += 1) {
    const port = portMin + ((start + tried) % portCount);
    if (!(await isListening(server, host, port))) continue;
    if (port !== kept) await replaceFile(fs, file, [Buffer.from(`${port}\n`)], 0o600);
    return;
  }
  throw new UserError(`No port from ${portMin} to ${portMin + portCount - 1} is free.`);
}

/** Below what systems give to outgoing connections, and to Kubernetes' node ports. */
const portMin = 26_000;
const portCount = 4_000;

function isInRange(port: number): boolean {
  return Number.isInteger(port) && port >= portMin && port < portMin + portCount;
}

function hash(seed: string): number {
  return createHash("sha256").update(seed).digest().readUInt32BE(0);
}

async function isListening(server: Server, host: string, port: number): Promise<boolean> {
  try {
    await listening(server, host, port);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES") return false;
    throw error;
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      server.off("listening", succeeded);
      reject(error);
    };
    const succeeded = (): void => {
      server.off("error", failed);
      resolve();
    };
    server.once("error", failed);
    server.once("listening", succeeded);
    server.listen({ host, port, exclusive: true });
  });
}
