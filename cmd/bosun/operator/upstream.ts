/** Which model answers: the real API, or the rehearsal that plays scenarios. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { UpstreamConfig } from "../../../pkg/gateway/upstream.ts";
import { compileCache } from "../../../pkg/system/compile-cache.ts";
import { entryPath } from "../../../pkg/system/entry.ts";
import { UserError } from "../user-error.ts";

export interface ChosenUpstream {
  kind: "Real" | "Rehearsal";
  config: UpstreamConfig;
  close(): Promise<void>;
}

/**
 * The credential and address that the environment names.
 *
 * @throws UserError when there is no credential, or the address is none
 */
export function realUpstream(env: Readonly<Record<string, string | undefined>>): ChosenUpstream {
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_AUTH_TOKEN: authToken } = env;
  const baseUrl = baseUrlIn(env);
  const close = async (): Promise<void> => {};
  if (apiKey !== undefined && apiKey !== "")
    return {
      kind: "Real",
      config: { baseUrl: baseUrl ?? "https://api.anthropic.com", credential: { apiKey } },
      close,
    };
  if (authToken !== undefined && authToken !== "" && baseUrl !== undefined)
    return { kind: "Real", config: { baseUrl, credential: { authToken } }, close };
  throw new UserError(
    "There is no credential for the model. Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN with ANTHROPIC_BASE_URL), or try everything without one, for free: `bosun up --rehearse`.",
  );
}

/** An empty variable is none, as for the SDK. */
function baseUrlIn({
  ANTHROPIC_BASE_URL: text,
}: Readonly<Record<string, string | undefined>>): string | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return text.trim();
  throw new UserError(
    `ANTHROPIC_BASE_URL must be an address such as https://api.anthropic.com, not ${JSON.stringify(text)}. Set it right, or unset it.`,
  );
}

/**
 * Starts the rehearsal model in a process that ends with this one, on the port it had before, so that what was begun
 * with an earlier operator finds it again.
 *
 * @param options.scenarios - folders of scenario files, asked before the built-in ones
 * @param options.pace - factor on the pauses of the scenarios; 0 answers at once
 */
export async function rehearsalUpstream(options: {
  folder: string;
  scenarios: readonly string[];
  pace: number;
}): Promise<ChosenUpstream> {
  const portFile = join(options.folder, "rehearsal.port");
  const args = ["--log", join(options.folder, "rehearsal.jsonl"), "--pace", String(options.pace)];
  args.push(...options.scenarios.flatMap((folder) => ["--scenarios", folder]));
  const port = knownPort(portFile);
  const url =
    (port === 0 ? undefined : await start(portFile, args, port)) ?? (await start(portFile, args, 0));
  if (url === undefined) throw new UserError("The rehearsal model did not start. Its messages are above.");
  return {
    kind: "Rehearsal",
    config: { baseUrl: url.url, credential: { apiKey: "rehearsal" } },
    close: url.close,
  };
}

async function start(portFile: string, args: readonly string[], port: number) {
  const entry = entryPath("pkg/rehearsal/main");
  const child = spawn(
    process.execPath,
    [...process.execArgv, entry, "--listen", `127.0.0.1:${port}`, ...args],
    {
      stdio: ["pipe", "pipe", port === 0 ? "inherit" : "ignore"],
      env: { ...process.env, ...compileCache() },
      // A group of its own: Ctrl-C in the terminal must not take the model away from turns that are to finish.
      detached: true,
    },
  );
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => [undefined])]);
  if (line === undefined) return undefined;
  const { url } = JSON.parse(line as string) as { url: string };
  writeFileSync(portFile, new URL(url).port);
  // It must not keep this process from ending; when this process ends, its stdin does.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  (child.stdout as unknown as { unref(): void }).unref();
  return {
    url,
    close: async () => {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.ref();
      child.stdin.destroy();
      await exited;
    },
  };
}

function knownPort(file: string): number {
  try {
    return Number(readFileSync(file, "utf8")) || 0;
  } catch {
    // The first rehearsal here.
    return 0;
  }
}
