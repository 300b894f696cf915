/** Plays conformance scenarios against a server of their own and reads what the runner saw. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { apiServer, type Killable } from "../../support/servers.ts";

const conformance = path.resolve(import.meta.dirname, "../../conformance");
export const runner = path.join(conformance, "run.mjs");

export type Kind = "http" | "kubectl";

export function scenarioFolder(kind: Kind): string {
  return path.join(conformance, "scenarios", kind);
}

export function scenarioNames(kind: Kind): string[] {
  return readdirSync(scenarioFolder(kind))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.replace(/\.yaml$/, ""))
    .sort();
}

export interface Difference {
  /** What differs: `exit`, `stdout:3`, `body.spec.size`. */
  readonly at: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

export interface PlayedStep {
  readonly name: string;
  readonly structural: boolean;
  /** Null: there is no message to compare. */
  readonly messages: boolean | null;
  readonly diffs: readonly Difference[];
  readonly mdiffs: readonly Difference[];
}

export interface PlayedScenario {
  readonly name: string;
  readonly steps: readonly PlayedStep[];
}

/** On the conformance definitions. No garbage collector runs: none did where the expectations were recorded. */
export function conformanceServer(): Promise<Killable> {
  return apiServer(path.join(conformance, "crds"), "--garbage-collector=off");
}

/** Plays all scenarios of a kind, in order. */
export async function play(kind: Kind, kubectl?: string): Promise<ReadonlyMap<string, PlayedScenario>> {
  const server = await conformanceServer();
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-played-"));
  try {
    const json = path.join(folder, "played.json");
    const args = ["--kubeconfig", server.kubeconfig, "--json", json, "--quiet"];
    if (kubectl !== undefined) args.push("--kubectl", kubectl);
    const child = spawn(process.execPath, [runner, ...args, scenarioFolder(kind)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let notes = "";
    child.stderr.on("data", (chunk) => {
      notes += String(chunk);
    });
    const [code] = await once(child, "close");
    // 1: some step failed.
    if (code !== 0 && code !== 1) throw new Error(`The conformance runner ended with ${code}: ${notes}`);
    const { scenarios } = JSON.parse(readFileSync(json, "utf8")) as { scenarios: PlayedScenario[] };
    return new Map(scenarios.map((scenario) => [scenario.name, scenario]));
  } finally {
    rmSync(folder, { recursive: true });
    await server.close();
  }
}

/**
 * Whether the messages are as recorded. What kubectl logs of its own accord does not count: it tells of races within
 * kubectl, as that of a watch with the deadline that ends it.
 */
export function isSaid({ messages, mdiffs }: PlayedStep): boolean {
  if (messages !== false) return true;
  if (mdiffs.length === 0 || !mdiffs.every(({ at }) => at.startsWith("stderr:"))) return false;
  const lines = (side: "expected" | "actual") =>
    mdiffs
      .map((difference) => String(difference[side] ?? ""))
      .filter((line) => line !== "" && line !== "(absent)" && !/^[IWEF]\d{4} /.test(line));
  return lines("expected").join("\n") === lines("actual").join("\n");
}

/** Steps and what differs in them: for the person who reads a failed test. */
export function complaints(steps: readonly PlayedStep[]): string[] {
  return steps.map(({ name, diffs, mdiffs }) => {
    const lines = [...diffs, ...mdiffs].slice(0, 4).map(({ at, expected, actual }) => {
      return `  ${at}: ${shown(expected)} -> ${shown(actual)}`;
    });
    return [name, ...lines].join("\n");
  });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 300);
}
