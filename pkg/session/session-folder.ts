import * as nodeFs from "node:fs";
import { join } from "node:path";
import type { SandboxAvailability } from "../sandbox/available.ts";
import { makeDirectory, readIfPresent, removeFile } from "../storage/blocking-files.ts";
import type { BlockingFileCalls } from "../storage/file-calls.ts";
import { type ReplaceSyncOptions, replaceFileSync } from "../storage/replace-file.ts";
import type { ProcessIdentity } from "../system/process-identity.ts";
import type { SessionReport, SessionSpec } from "./sessions.ts";

/** What the manager tells a host beside the spec: where things are on this machine. */
export interface LaunchSettings {
  /** A new one for each start; tells the host just started from its predecessors. */
  attempt: string;
  /** The manager's pid space: pids are told as they are there. */
  place: string;
  /** Folder of the `agent-<id>.session` files. */
  sessionFilesDirectory: string;
  /** While this file exists no session lives. */
  stopLatch: string;
  /** False: tools run without a sandbox, whatever the spec says. */
  sandboxed: boolean;
  /** What a trial found; undefined where none is wanted. */
  sandbox: SandboxAvailability | undefined;
  /** Hidden from tools beside HOME. */
  hide: readonly string[];
  /** Shown to tools again, read-only. */
  extraReadOnly: readonly string[];
}

/** The way to the model. Not in the spec: it changes when a gateway comes back elsewhere. */
export interface Access {
  url: string;
  token: string;
}

/** Which checkout was made ready, and by what. */
export interface SetupRecord {
  /** Tells the folder from one that was made anew in its place. */
  checkout: string;
  run: string;
}

/**
 * Which processes a host is, in the pid space `place`. `starting` is written before the first of them exists. Only the
 * attempt that is named here may go on: a host that finds another one, or none, ends itself.
 */
export type HostFile =
  | { state: "starting"; attempt: string; place: string }
  | {
      state: "running";
      attempt: string;
      place: string;
      /** Killing it ends the tree where namespaces hold; the host itself elsewhere. */
      outermost: ProcessIdentity;
      host: ProcessIdentity;
      startedAtMs: number;
      /** Whether it has a process id namespace of its own; absent where an older host did not say. */
      contained?: boolean;
    };

/** What the operator orders: to pause after the turn in hand, or to end at once. */
export type EndOrder = "AfterTurn" | "Now";

/** A file of a session's folder that says nothing, however often it is read: a person has to move it away. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
  /** @param problem - what is wrong with it, after its path */
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path} ${problem}. Move it away to forget what it said.`, options);
  }
}

/** The folder of one session: all that is known of it, on disk. */
export interface SessionFolder {
  readonly path: string;
  readonly transcriptPath: string;
  readonly logPath: string;
  readSpec(): SessionSpec | undefined;
  writeSpec(spec: SessionSpec): void;
  readReport(): SessionReport | undefined;
  /** One that is not durable survives power loss or leaves the last one in place. */
  writeReport(report: SessionReport, options: { durable: boolean }): void;
  readHost(): HostFile | undefined;
  writeHost(host: HostFile): void;
  /** Says that the last host's tree is proven gone, or may not go on. */
  clearHost(): void;
  /** Puts a copy in the transcript's place: what a host still writes that has it open is read by nobody. */
  detachTranscript(): void;
  readLaunch(): LaunchSettings | undefined;
  writeLaunch(launch: LaunchSettings): void;
  readAccess(): Access | undefined;
  writeAccess(access: Access): void;
  /** Whether some host of the session may have a way to the model. */
  hasAccess(): boolean;
  /** Says that the gateway lets no host of the session spend. After a power loss it may be said no more. */
  clearAccess(): void;
  /** Undefined: no setup has completed. */
  readSetup(): SetupRecord | undefined;
  writeSetup(record: SetupRecord): void;
  /** What was ordered since the last start. */
  readOrder(): EndOrder | undefined;
  writeOrder(order: EndOrder): void;
  clearOrder(): void;
}

/**
 * @param directory - of all sessions; this one's folder is made in it when something is first written
 * @throws DamagedFile when one of them does not hold JSON, or `host.json` names no host
 */
export function sessionFolder(
  directory: string,
  id: string,
  calls: BlockingFileCalls = nodeFs,
): SessionFolder {
  const path = join(directory, id);
  const file = (name: string) => join(path, name);
  const read = <T>(name: string): T | undefined => parse<T>(file(name), readIfPresent(file(name), calls));
  const write = (name: string, value: unknown, options: ReplaceSyncOptions) => {
    // What begins a session or a host makes sure of the folder; the others find it.
    if (options.durable || !calls.existsSync(path)) makeDirectory(path, 0o700, calls);
    replaceFileSync(file(name), `${JSON.stringify(value, null, 2)}\n`, options, calls);
  };
  return {
    path,
    transcriptPath: file("transcript.jsonl"),
    logPath: file("host.log"),
    readSpec: () => read<SessionSpec>("spec.json"),
    writeSpec: (spec) => write("spec.json", spec, { durable: true }),
    readReport: () => read<SessionReport>("report.json"),
    writeReport: (report, { durable }) => write("report.json", report, { durable }),
    readHost() {
      const host = read<unknown>("host.json");
      if (host === undefined || isHostFile(host)) return host;
      throw new DamagedFile(file("host.json"), "does not say which host the session has");
    },
    writeHost: (host) => write("host.json", host, { durable: true }),
    clearHost: () => removeFile(file("host.json"), calls),
    detachTranscript() {
      const transcript = file("transcript.jsonl");
      const text = readIfPresent(transcript, calls);
      if (text !== undefined) replaceFileSync(transcript, text, { durable: true, mode: 0o600 }, calls);
    },
    readLaunch: () => read<LaunchSettings>("launch.json"),
    writeLaunch: (launch) => write("launch.json", launch, { durable: false }),
    readAccess: () => read<Access>("access.json"),
    writeAccess: (access) => write("access.json", access, { durable: false, mode: 0o600 }),
    hasAccess: () => calls.existsSync(file("access.json")),
    clearAccess: () => calls.rmSync(file("access.json"), { force: true }),
    readSetup: () => read<SetupRecord>("setup.json"),
    writeSetup: (record) => write("setup.json", record, { durable: true }),
    readOrder() {
      const text = readIfPresent(file("control"), calls);
      if (text === undefined) return undefined;
      // Whoever only creates the file asks for a pause.
      return text.trim() === "Now" ? "Now" : "AfterTurn";
    },
    writeOrder: (order) => replaceFileSync(file("control"), `${order}\n`, { durable: true }, calls),
    clearOrder: () => removeFile(file("control"), calls),
  };
}

/** Whose session it is; undefined where its spec is not there or can't be read: a damaged session must hide no other. */
export function agentOf(folder: SessionFolder): string | undefined {
  try {
    return folder.readSpec()?.agent;
  } catch {
    return undefined;
  }
}

function parse<T>(path: string, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new DamagedFile(path, "does not hold JSON", { cause: error });
  }
}

function isHostFile(value: unknown): value is HostFile {
  const { state, attempt, place, outermost, host, startedAtMs } = fieldsOf(value);
  if (typeof attempt !== "string" || typeof place !== "string") return false;
  if (state === "starting") return true;
  return state === "running" && isIdentity(outermost) && isIdentity(host) && typeof startedAtMs === "number";
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTime } = fieldsOf(value);
  return typeof pid === "number" && typeof startTime === "string";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
