/** `bosun apiserver` as a process, as people run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { bosunCommand } from "../support/bosun-command.ts";

const root = path.resolve(import.meta.dirname, "../..");

export interface ServerProcess {
  host: string;
  port: number;
  token: string;
  /** What it has written to stderr so far: nothing but bugs has a stack there. */
  log(): string;
  hasEnded(): boolean;
  /** Ends it, as a person or as a crash does, and resolves when it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** A folder of data that is nobody else's. */
export function newDataFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "bosun-fuzz-"));
}

/** Starts the server on `data` and waits until it serves. */
export async function startServer(data: string): Promise<ServerProcess> {
  const kubeconfig = path.join(data, "kubeconfig");
  const args = ["apiserver", "--data-dir", data, "--listen", "127.0.0.1:0", "--kubeconfig-out", kubeconfig];
  const crds = ["--crd-dir", path.join(root, "test/conformance/crds"), path.join(root, "crds")];
  const child = spawn(process.execPath, [bosunCommand(), ...args, ...crds], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const url = await served(child, () => log);
  const { users } = parse(readFileSync(kubeconfig, "utf8")) as { users: { user: { token: string } }[] };
  return {
    host: url.hostname,
    port: Number(url.port),
    token: users[0]?.user.token ?? "",
    log: () => log,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, "exit");
    },
  };
}

async function served(child: ChildProcess, log: () => string): Promise<URL> {
  if (child.stdout === null) throw new Error("The server has no stdout.");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^Serving (https?:\S+)/.exec(line)?.[1];
    if (url !== undefined) return new URL(url);
  }
  throw new Error(`The server ended before it served (${child.exitCode}): ${log()}`);
}
