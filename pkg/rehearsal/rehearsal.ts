import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Clock } from "../runtime/clock.ts";
import { http } from "../system/http.ts";
import { systemClock } from "../system/system.ts";
import { loadScenarios } from "./load-scenarios.ts";
import { RequestLog, type RequestRecord } from "./request-log.ts";
import { upstream } from "./upstream.ts";

export type { RequestRecord } from "./request-log.ts";

export interface RehearsalOptions {
  /** Folders of scenario files, asked before the built-in ones, later folders first. */
  scenarios?: readonly string[];
  /** `HOST:PORT`; port 0 takes a free one. Default `127.0.0.1:0`. */
  listen?: string;
  clock?: Clock;
  /** Factor on the pauses of all scenarios, 0 or more; 0 answers at once. Default 1. */
  pace?: number;
  /** File to append one JSON line to at each request's start and end; see `RequestLog`. */
  log?: string;
}

export interface Rehearsal {
  /** Base URL for a client of the Messages API. */
  url: string;
  /** What was asked and billed last, oldest first. */
  requests(): readonly RequestRecord[];
  /** Cuts what runs and gives the port back. */
  close(): Promise<void>;
}

/** The scenarios that come with Bosun. */
export const builtInScenarios = fileURLToPath(new URL("./scenarios", import.meta.url));

/**
 * Starts an upstream that speaks the Messages API and plays scenarios instead of asking a model.
 *
 * @throws ScenarioError when a scenario file can't be played
 */
export async function startRehearsal(options: RehearsalOptions = {}): Promise<Rehearsal> {
  const { pace = 1, clock = systemClock } = options;
  const scenarios = await loadScenarios([builtInScenarios, ...(options.scenarios ?? [])]);
  const log = new RequestLog(options.log);
  const answer = upstream({ scenarios, clock, log, pace });
  const server = http.createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const { host, port } = addressOf(options.listen ?? "127.0.0.1:0");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    requests: () => log.all(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function addressOf(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(":");
  const port = Number(listen.slice(colon + 1));
  if (colon === -1 || !Number.isInteger(port))
    throw new RangeError(`listen must be HOST:PORT, not ${listen}.`);
  return { host: listen.slice(0, colon), port };
}
