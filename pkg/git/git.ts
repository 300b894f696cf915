import { TransientError } from "../runtime/errors.ts";
import { type GitLimits, gitLimits, limitOf } from "./limits.ts";
import { ObjectReader } from "./object-reader.ts";
import {
  LateProcess,
  type ProcessOutput,
  type ProcessRequest,
  type RunProcess,
  runProcess,
} from "./process.ts";
import { RefWriter } from "./ref-writer.ts";
import type { Serial } from "./serial.ts";
import { gitTimedOut } from "./timed-out.ts";

/** Which repository a git command works on. Always given, never discovered from a folder. */
export interface GitPlace {
  /** GIT_DIR: where refs and configuration are read. */
  gitDirectory: string;
  /** GIT_OBJECT_DIRECTORY, when objects are read and written elsewhere. */
  objects?: string;
  workTree?: string;
  index?: string;
  /** Where its own files lie, for git can't always tell. Undefined where nobody can. */
  mainWorkTree?: string;
  /** Verified in every transaction on refs here. */
  guard?: RefGuard;
}

/** A ref that must be where it is for any ref to move. */
export interface RefGuard {
  ref: string;
  is: string;
  /** Its transactions, one at a time, since each locks the ref. */
  serial: Serial;
}

export interface GitOptions {
  env?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Of what it reads and prints; UTF-8 when left out. With `latin1` a character is a byte: a file's name need not be UTF-8. */
  encoding?: "latin1";
  stdinFile?: string;
  stdoutFile?: string;
  maxBytes?: number;
}

/** How a prepared git command is started; a sandbox wraps it. */
export type Wrap = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => { file: string; args: readonly string[]; env: Readonly<Record<string, string>> };

const plainly: Wrap = (args, env) => ({ file: "git", args, env });

/** Switches off whatever a configuration could make git execute, wherever that configuration comes from. */
export const neutral: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.quotePath=false",
  "commit.gpgSign=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "merge.autoStash=false",
  "submodule.recurse=false",
  "advice.addEmbeddedRepo=false",
].flatMap((setting) => ["-c", setting]);

/** A few looks at each branch of ten agents. */
const answersKept = 200;

const opened = new WeakMap<RunProcess, Git>();

/** The one Git of all that start it so: they share what it knows, and the processes that stay. */
export function gitBy(start: RunProcess = runProcess): Git {
  const known = opened.get(start);
  if (known !== undefined) return known;
  const git = new Git(start);
  opened.set(start, git);
  return git;
}

/** Git, with an environment of its own: no file of the person's or the machine's configures it. */
export class Git {
  readonly #start: RunProcess;
  readonly #readers = new Map<string, ObjectReader>();
  readonly #writers = new Map<string, RefWriter>();
  readonly #answers = new Map<string, ProcessOutput>();
  readonly #limits: GitLimits;

  constructor(start: RunProcess = runProcess, limits: GitLimits = gitLimits) {
    this.#start = start;
    this.#limits = limits;
  }

  /**
   * Runs git and gives back whatever it answers; a non-zero exit is a result.
   *
   * @throws TransientError GitTimedOut when it does not end
   */
  run(
    place: GitPlace,
    args: readonly string[],
    options: GitOptions = {},
    wrap: Wrap = plainly,
  ): Promise<ProcessOutput> {
    const { env: given, ...streams } = options;
    const env = { ...gitEnvironment(place), ...given };
    const command = { ...wrap([...neutral, ...args], env), cwd: place.gitDirectory, ...streams };
    return this.#ended(args, command);
  }

  /**
   * What git prints, without the last line break.
   *
   * @throws TransientError GitFailed when git exits with anything but 0
   * @throws TransientError GitTimedOut when it does not end
   */
  async text(
    place: GitPlace,
    args: readonly string[],
    options: GitOptions = {},
    wrap: Wrap = plainly,
  ): Promise<string> {
    const output = await this.run(place, args, options, wrap);
    if (output.exitCode !== 0) throw gitFailed(args, output);
    return output.stdout.toString(options.encoding ?? "utf8").replace(/\n$/, "");
  }

  /**
   * What git answers to a question about objects named by full ids: it can't change, so it is asked once.
   *
   * @returns an answer with exit code 0 or 1 may be one of before
   */
  async lasting(place: GitPlace, args: readonly string[]): Promise<ProcessOutput> {
    const key = JSON.stringify([place.gitDirectory, place.objects, ...args]);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const output = await this.run(place, args);
    // Anything else is trouble, which may pass.
    if (output.exitCode > 1) return output;
    this.#answers.set(key, output);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > answersKept && oldest !== undefined) this.#answers.delete(oldest);
    return output;
  }

  /**
   * What reads ids and objects of `place` without a process for each. Only for git directories and objects that no
   * agent can write.
   */
  reader(place: GitPlace): ObjectReader {
    const { gitDirectory, objects = "" } = place;
    const key = `${gitDirectory}\0${objects}`;
    const known = this.#readers.get(key);
    if (known !== undefined) return known;
    const args = [...neutral, "cat-file", "--batch-command"];
    const command = { file: "git", args, env: gitEnvironment(place), cwd: gitDirectory };
    const reader = new ObjectReader(command, this.#limits);
    this.#readers.set(key, reader);
    return reader;
  }

  /**
   * What moves the operator's own refs of `place` without a process for each transaction; undefined where somebody wants to
   * see each process.
   *
   * @param args - of git, those of `update-ref` included; always the same
   */
  refWriter(
    place: GitPlace,
    args: readonly string[],
    given: Readonly<Record<string, string>>,
  ): RefWriter | undefined {
    const { gitDirectory } = place;
    if (this.#start !== runProcess) return undefined;
    const known = this.#writers.get(gitDirectory);
    if (known !== undefined) return known;
    const env = { ...gitEnvironment(place), ...given };
    const command = { file: "git", args: [...neutral, ...args], env, cwd: gitDirectory };
    const writer = new RefWriter(command, this.#limits);
    this.#writers.set(gitDirectory, writer);
    return writer;
  }

  /** Ends the processes that stay and waits until they are gone, so that none outlives this one. Whoever needs one starts another. */
  async end(): Promise<void> {
    await Promise.all([...this.#readers.values(), ...this.#writers.values()].map((one) => one.end()));
  }

  /** Git inside a work tree of the person, with the person's own configuration, hooks off. */
  inUserCheckout(
    path: string,
    args: readonly string[],
    given: Record<string, string> = {},
    stdin?: string,
  ): Promise<ProcessOutput> {
    const env: Record<string, string> = { GIT_TERMINAL_PROMPT: "0", LC_ALL: "C", ...given };
    for (const name of ["PATH", "HOME", "XDG_CONFIG_HOME"]) {
      const value = process.env[name];
      if (value !== undefined) env[name] = value;
    }
    const safe = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false"];
    safe.push("merge.autoStash=false", "submodule.recurse=false", "merge.verifySignatures=false");
    const settings = safe.flatMap((setting) => ["-c", setting]);
    const command = { file: "git", args: ["-C", path, ...settings, ...args], env, cwd: path };
    return this.#ended(args, stdin === undefined ? command : { ...command, stdin });
  }

  /** @param args - of git itself, without what is given to every git */
  async #ended(args: readonly string[], command: Omit<ProcessRequest, "limit">): Promise<ProcessOutput> {
    const ms = limitOf(args, this.#limits);
    // Cut off in the middle it leaves the person's files those of two commits.
    const whenOver = args[0] === "merge" ? "Leave" : "End";
    try {
      return await this.#start({ ...command, limit: { ms, graceMs: this.#limits.graceMs, whenOver } });
    } catch (error) {
      if (error instanceof LateProcess) throw gitTimedOut({ args, cwd: command.cwd, ms }, error);
      throw error;
    }
  }
}

/** That `git args` did not do what it was to do, with the beginning of what it printed. */
export function gitFailed(
  args: readonly string[],
  output: Pick<ProcessOutput, "exitCode" | "stderr">,
): TransientError {
  const said = output.stderr.trim().slice(0, 1000) || "It printed no error.";
  return new TransientError("GitFailed", `git ${args.join(" ")} exited with ${output.exitCode}: ${said}`);
}

function gitEnvironment(place: GitPlace): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: place.gitDirectory,
    LC_ALL: "C",
    GIT_DIR: place.gitDirectory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    // What newer versions of git may no longer make by default: checkouts are read as plain files.
    GIT_DEFAULT_HASH: "sha1",
    GIT_DEFAULT_REF_FORMAT: "files",
    ...(place.objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: place.objects }),
    ...(place.workTree === undefined ? {} : { GIT_WORK_TREE: place.workTree }),
    ...(place.index === undefined ? {} : { GIT_INDEX_FILE: place.index }),
  };
}
