/** A small repository of a person's with a workspace in it, in a temporary folder of its own, and the operator on it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { clusterOf } from "../../../cmd/bosun/operator-client/chosen-cluster.ts";
import {
  NoOperatorError,
  type OperatorClient,
  SilentOperatorError,
  socketClient,
} from "../../../cmd/bosun/operator-client/socket-client.ts";
import { runIn } from "../../../cmd/bosun/testing/operator.ts";
import {
  FILE_NAMESPACE,
  type WorkspaceFolder,
  workspaceFolder,
} from "../../../cmd/bosun/workspace-folder.ts";
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Agent, Budget, Kinds, Project, Workspace } from "../../../pkg/api/generated.ts";
import type { Condition, KubeObject } from "../../../pkg/api/meta.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import { signalIfAlive } from "../../../pkg/system/testing/signal-if-alive.ts";
import { bosunCommand } from "../../support/bosun-command.ts";
import { processesOf } from "../processes.ts";

/** Scenarios that are quicker than the built-in ones, or can be held in the middle. */
const scenarios = path.join(import.meta.dirname, "scenarios");
/** What has not come about by then never will, in milliseconds: many times what it takes on an idle machine. */
const patienceMs = 60_000;
const lookPeriodMs = 25;

export interface ScratchOptions {
  /** Names of Projects; what a scenario is chosen by stands in the description. */
  projects?: Readonly<Record<string, ProjectSketch>>;
  /** Beyond what every scratch workspace says. */
  workspace?: Partial<Record<keyof Workspace["spec"], unknown>>;
  /** US dollars a day; undefined: no Budget at all. Default 5. */
  dailyUSD?: number | undefined;
  /** Execution agents. Default 1. */
  agents?: number;
  /** Review agents. Default 1. */
  reviewers?: number;
  /** Further files of the first commit, by name. */
  files?: Readonly<Record<string, string>>;
  /** In a value, `{folder}` is the scratch's own folder. */
  env?: Readonly<Record<string, string>>;
}

export interface ProjectSketch {
  description?: string;
  category?: string;
  /** How many tasks. Default 0. */
  tasks?: number;
}

export interface Scratch {
  /** Holds everything that a test makes. Absolute. */
  folder: string;
  repository: string;
  workspace: WorkspaceFolder;
  /** Of the running operator. */
  client: OperatorClient;
  git(...args: string[]): string;
  /** Writes a file of the person's in `.claude-sessions`. */
  write(file: string, text: string): void;
  read(file: string): string;
  /** Starts the operator. */
  up(...args: string[]): OperatorProcess;
  /** Starts the operator with the played model and this folder's scenarios. */
  rehearse(...args: string[]): OperatorProcess;
  /** As `rehearse`, started by `command`, which is put before the operator's own: as what makes a container. */
  rehearseBy(command: readonly string[], ...args: string[]): OperatorProcess;
  /** Runs one command line in the repository. */
  bosun(...args: string[]): Promise<Answer>;
  /** As `bosun`, and it must succeed. Gives all that it printed. */
  tell(...args: string[]): Promise<string>;
  /** Where the operator's objects are: in a cluster, in the namespace that it works for. */
  find<K extends Kind>(kind: K, name: string): Promise<Kinds[K] | undefined>;
  /** As `find`, and it must be there. */
  object<K extends Kind>(kind: K, name: string): Promise<Kinds[K]>;
  project(name: string): Promise<Project>;
  agent(name: string): Promise<Agent>;
  condition(object: KubeObject, type: string): Condition | undefined;
  /** Waits until `look` gives something other than undefined or false, and gives it; an operator may still be starting. */
  until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T>;
  /** Waits until the Project is in the phase. */
  phase(name: string, phase: string): Promise<Project>;
  /** What still runs for this folder, in words. */
  left(): Promise<readonly string[]>;
}

export interface Answer {
  exitCode: number;
  /** What it printed, results and notes. */
  text: string;
}

export interface OperatorProcess {
  pid: number;
  /** All that it has printed. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Exit code or signal, once it has ended. */
  exited: Promise<number | NodeJS.Signals>;
  /** Waits until it answers commands. @throws Error when it ends instead */
  ready(): Promise<void>;
  /** Ctrl-C once, and waits for its end. */
  end(): Promise<void>;
}

/**
 * A new repository with one commit on `main`, its checks green, and a workspace declared in it. At the end of the test
 * that asks for it, whatever runs in it is ended and all of it is removed.
 *
 * @param onEnd - told how to remove it: who is no test has to do so itself
 */
export function scratch(
  options: ScratchOptions = {},
  onEnd: (remove: () => Promise<void>) => void = onTestFinished,
): Scratch {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-e2e-"));
  const repository = path.join(folder, "repo");
  const workspace = workspaceFolder(repository);
  const client = socketClient(workspace.socket);
  const env = environment(folder, options.env);
  const started: ChildProcess[] = [];

  const made: Scratch = {
    folder,
    repository,
    workspace,
    client,
    git: (...args) => git(repository, env, args),
    write(file, text) {
      const target = path.join(workspace.path, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    },
    read: (file) => readFileSync(path.join(workspace.path, file), "utf8"),
    up: (...args) => start(args),
    rehearse: (...args) => made.rehearseBy([], ...args),
    rehearseBy: (command, ...args) => start(["--rehearse", "--scenarios", scenarios, ...args], command),
    async bosun(...args) {
      const { exitCode, out, notes } = await runIn(repository, args, { env });
      return { exitCode, text: [...out, ...notes].join("\n") };
    },
    async tell(...args) {
      const { exitCode, text } = await made.bosun(...args);
      if (exitCode !== 0) throw new Error(`bosun ${args.join(" ")} ended with ${exitCode}: ${text}`);
      return text;
    },
    find: (kind, name) =>
      client.get(kind, { namespace: clusterOf(workspace)?.namespace ?? FILE_NAMESPACE, name }),
    async object(kind, name) {
      const found = await made.find(kind, name);
      if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
      return found;
    },
    project: (name) => made.object("Project", name),
    agent: (name) => made.object("Agent", name),
    condition: (object, type) =>
      getCondition((object as { status?: { conditions?: Condition[] } }).status?.conditions, type),
    async until(what, look) {
      const endMs = performance.now() + patienceMs;
      for (;;) {
        const seen = await unlessStarting(look);
        if (seen !== undefined && seen !== false) return seen;
        const hasEnded = started.every(({ exitCode }) => exitCode !== null);
        if (hasEnded && (started.at(-1)?.exitCode ?? 0) !== 0)
          throw new Error(`In vain for: ${what}. ${outputs()}`);
        if (performance.now() > endMs)
          throw new Error(`Waited ${patienceMs / 1000} s in vain for: ${what}. ${outputs()}`);
        await sleep(lookPeriodMs);
      }
    },
    phase: (name, phase) =>
      made.until(`${name} ${phase}`, async () => {
        const found = await made.find("Project", name);
        return found?.status?.phase === phase && found;
      }),
    left: async () => (await processesOf(folder)).map(({ pid, command }) => `${pid} ${command}`),
  };
  // Also when the test is given up because it takes too long.
  onEnd(() => remove(folder));
  prepare(made, options, env);
  return made;

  async function unlessStarting<T>(look: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      const isStarting = started.at(-1)?.exitCode === null;
      if (error instanceof NoOperatorError && isStarting) return undefined;
      const isAway = error instanceof NoOperatorError || error instanceof SilentOperatorError;
      throw isAway ? new Error(`${error.message}\n${outputs()}`, { cause: error }) : error;
    }
  }

  function outputs(): string {
    return started.map((_, index) => `Operator ${index + 1} printed:\n${outputOf(index)}`).join("\n");
  }

  function outputOf(index: number): string {
    return readFileSync(path.join(folder, `operator-${index + 1}.log`), "utf8");
  }

  function start(args: readonly string[], by: readonly string[] = []): OperatorProcess {
    const index = started.length;
    const log = openSync(path.join(folder, `operator-${index + 1}.log`), "w");
    // A group of its own: only the signals that a test sends reach it.
    const [file = "", ...words] = [...by, process.execPath, bosunCommand(), "up", ...args];
    const child = spawn(file, words, {
      cwd: repository,
      env,
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    started.push(child);
    const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    const operator: OperatorProcess = {
      pid: child.pid ?? 0,
      output: () => outputOf(index),
      signal: (name) => void child.kill(name),
      exited,
      async ready() {
        await made.until("an operator that runs", async () => {
          if (child.exitCode !== null)
            throw new Error(`The operator ended with ${child.exitCode}:\n${operator.output()}`);
          return operator.output().includes("The operator runs");
        });
      },
      async end() {
        child.kill("SIGINT");
        const how = await exited;
        if (how !== 0) throw new Error(`The operator ended with ${how}:\n${operator.output()}`);
      },
    };
    return operator;
  }
}

/** A Project as a person would write it. */
export function projectYaml(name: string, { description, category, tasks = 0 }: ProjectSketch = {}): string {
  return stringify({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name },
    spec: {
      title: `Write ${name}`,
      ...(description === undefined ? {} : { description }),
      ...(category === undefined ? {} : { category }),
      acceptanceCriteria: [{ id: "AC-1", text: `There is a note on ${name}.` }],
      tasks: Array.from({ length: tasks }, (_, index) => ({
        id: `T-${index + 1}`,
        title: `Part ${index + 1}`,
      })),
    },
  });
}

/** A daily limit as a person would write it. */
export function budgetYaml(dailyUSD: number): string {
  const spec: Partial<Budget["spec"]> = { daily: { usd: dailyUSD } };
  return stringify({ apiVersion: "bosun.dev/v1alpha1", kind: "Budget", metadata: { name: "default" }, spec });
}

function prepare(
  { repository, workspace, git, write }: Scratch,
  { projects = {}, agents = 1, reviewers = 1, files = {}, workspace: more, ...options }: ScratchOptions,
  env: Readonly<Record<string, string>>,
): void {
  for (const folder of [repository, env.HOME, env.TMPDIR]) mkdirSync(folder ?? "", { recursive: true });
  git("init", "--quiet", "--initial-branch=main", ".");
  writeFileSync(path.join(repository, "README.md"), "# A library\n");
  writeFileSync(path.join(repository, "sum.mjs"), "export const sum = (a, b) => a + b;\n");
  writeFileSync(path.join(repository, "sum.test.mjs"), sumTest);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(repository, name), text);
  git("add", "--all");
  git("commit", "--quiet", "--message=Begin");
  writeFileSync(path.join(repository, ".git/info/exclude"), "/.claude-sessions/\n");

  mkdirSync(workspace.path);
  write("workspace.yaml", workspaceYaml(more));
  write("pools.yaml", poolsYaml(agents, reviewers));
  const dailyUSD = "dailyUSD" in options ? options.dailyUSD : 5;
  if (dailyUSD !== undefined) write("budget.yaml", budgetYaml(dailyUSD));
  for (const [name, sketch] of Object.entries(projects))
    write(`projects/${name}.yaml`, projectYaml(name, sketch));
}

const sumTest = `import { test } from "node:test";
import assert from "node:assert";
import { sum } from "./sum.mjs";

test("two and two are four", () => assert.equal(sum(2, 2), 4));
`;

function workspaceYaml(more: ScratchOptions["workspace"]): string {
  return stringify({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Workspace",
    metadata: { name: "scratch" },
    spec: {
      repository: { targetBranch: "main" },
      commands: { test: { run: "node --test --test-isolation=none" } },
      ...more,
    },
  });
}

function poolsYaml(agents: number, reviewers: number): string {
  return `# Who works here.
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: crew
spec:
  role: Execution
  replicas: ${agents} # as many as the budget bears
---
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: reviewers
spec:
  role: Review
  replicas: ${reviewers}
`;
}

/** The tests' own environment without anything of Bosun's or the model's, with every folder beneath `folder`. */
function environment(folder: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(ANTHROPIC_|BOSUN_|GIT_|VITEST|XDG_|NODE_OPTIONS)/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(inherited),
    // The checks run by the same Node as the tests.
    PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
    HOME: path.join(folder, "home"),
    TMPDIR: path.join(folder, "tmp"),
    XDG_STATE_HOME: path.join(folder, "state"),
    ...Object.fromEntries(
      Object.entries(more).map(([name, value]) => [name, value.replace("{folder}", folder)]),
    ),
  };
}

function git(repository: string, env: Readonly<Record<string, string>>, args: readonly string[]): string {
  const person = ["user.name=Person", "user.email=person@example.invalid", "commit.gpgsign=false"];
  const settings = person.flatMap((setting) => ["-c", setting]);
  return execFileSync("git", ["-C", repository, ...settings, ...args], {
    // Whatever the operator is to miss, the person has git.
    env: { ...env, PATH: process.env.PATH },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trimEnd();
}

/** Ends what still runs for `folder`, then takes it away. */
async function remove(folder: string): Promise<void> {
  for (let found = await processesOf(folder); found.length > 0; found = await processesOf(folder)) {
    for (const { pid } of found) signalIfAlive(pid, "SIGKILL");
    await sleep(lookPeriodMs);
  }
  rmSync(folder, { recursive: true, force: true });
}
