/** Checks that take virtual time and whose results the content of a tree decides. */
import type {
  CheckCommands,
  CheckResult,
  ChecksObservation,
  CommandName,
  Finding,
  Quality,
} from "../../../pkg/quality/quality.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Commits, Tree } from "./commits.ts";
import { hash, share } from "./hash.ts";

/** Content that makes the test command fail, wherever it stands. */
export const BROKEN = "broken";
/** Content that looks like a secret. */
export const SECRET = "secret";

/** How one command ends on a tree; undefined lets the content decide. */
type Verdict = (run: string) => CheckResult["result"] | undefined;

export interface SimQualityOptions {
  objects: Commits;
  clock: Clock;
  /** For contract tests: what a command's own text means. */
  verdict?: Verdict;
}

export class SimQuality implements Quality {
  /** How often checks are red for no reason, 0 to 1. */
  flakes = 0;
  readonly #options: SimQualityOptions;
  readonly #flaked = new Set<string>();
  readonly #done = new Map<string, ChecksObservation & { is: "done" }>();
  /** By cache key: whose commits' checks they are. */
  readonly #running = new Map<string, Set<string>>();
  readonly #found = new Map<string, readonly Finding[]>();
  readonly #wakers = new Set<(commit: string) => void>();
  #life = 0;

  constructor(options: SimQualityOptions) {
    this.#options = options;
  }

  async checks(commit: string, commands: CheckCommands): Promise<ChecksObservation> {
    const { treeId, tree } = this.#options.objects.get(commit);
    if (Object.keys(commands).length === 0) return { is: "done", passed: true, results: [] };
    const key = `${treeId} ${hash(JSON.stringify(commands))}`;
    const done = this.#done.get(key);
    if (done !== undefined) return done;
    const running = this.#running.get(key);
    if (running === undefined) {
      this.#running.set(key, new Set([commit]));
      void this.#run(key, { tree, treeId, commands });
    } else running.add(commit);
    return { is: "running" };
  }

  /** Checks were red on this commit's tree although its content is good. */
  hasFlaked(commit: string): boolean {
    return this.#flaked.has(this.#options.objects.get(commit).treeId);
  }

  /** What the content would be judged as, whether or not checks ran on it. */
  isGreen(commit: string): boolean {
    return !isBroken(this.#options.objects.get(commit).tree);
  }

  async inspect(base: string, head: string, protectedPaths: readonly string[]): Promise<readonly Finding[]> {
    const key = `${base} ${head} ${protectedPaths.join()}`;
    const findings = this.#found.get(key) ?? this.#inspect(base, head, protectedPaths);
    this.#found.set(key, findings);
    return findings;
  }

  #inspect(base: string, head: string, protectedPaths: readonly string[]): readonly Finding[] {
    const { objects } = this.#options;
    const findings: Finding[] = [];
    for (const { id, parents } of objects.between(base, head)) {
      // A merge is looked at for what neither parent has.
      const [first, ...others] = parents;
      const { tree } = objects.get(id);
      const paths = objects
        .changed(first, id)
        .filter((path) => others.every((other) => objects.get(other).tree.get(path) !== tree.get(path)))
        .filter((path) => tree.has(path));
      for (const path of paths) {
        if (path.startsWith(".claude-sessions/"))
          findings.push({
            kind: "ForbiddenPath",
            path,
            commit: id,
            message: "The control plane is never merged.",
          });
        else if (protectedPaths.some((pattern) => path.startsWith(pattern.replace(/\*+$/, ""))))
          findings.push({ kind: "ProtectedPath", path, commit: id, message: "It is protected." });
        if (looksSecret(tree.get(path) ?? ""))
          findings.push({ kind: "Secret", path, commit: id, message: "It looks like a secret." });
      }
    }
    return findings;
  }

  subscribe(wake: (commit: string) => void, signal: AbortSignal): void {
    this.#wakers.add(wake);
    signal.addEventListener("abort", () => this.#wakers.delete(wake), { once: true });
  }

  /** The operator died, and the checks it ran with it; results stay. */
  crash(): void {
    this.#life += 1;
    this.#running.clear();
    this.#wakers.clear();
  }

  async #run(
    key: string,
    { tree, treeId, commands }: { tree: Tree; treeId: string; commands: CheckCommands },
  ): Promise<void> {
    const life = this.#life;
    const seconds = 20 + Math.floor(share(`checks ${key}`) * 160);
    await this.#options.clock.sleep(seconds * 1000);
    if (life !== this.#life) return;
    const flaky = share(`flake ${key}`) < this.flakes && !isBroken(tree);
    if (flaky) this.#flaked.add(treeId);
    const results: CheckResult[] = [];
    for (const name of ["setup", "lint", "test", "build"] as const) {
      const command = commands[name];
      if (command === undefined) continue;
      results.push(this.#result(name, command.run, flaky || isBroken(tree)));
      if (name === "setup" && results[0]?.result !== "Passed") break;
    }
    const passed = results.every(({ result }) => result === "Passed");
    const commits = this.#running.get(key) ?? [];
    this.#running.delete(key);
    this.#done.set(key, { is: "done", passed, results });
    for (const commit of commits) for (const wake of [...this.#wakers]) wake(commit);
  }

  #result(name: CommandName, run: string, isRed: boolean): CheckResult {
    const result = this.#options.verdict?.(run) ?? (name === "test" && isRed ? "Failed" : "Passed");
    const common = { name, run, result, seconds: 10, output: `${name}: ${result}` };
    if (result === "TimedOut") return common;
    return { ...common, exitCode: result === "Passed" ? 0 : 1 };
  }
}

function looksSecret(content: string): boolean {
  return content.includes(SECRET) || /ghp_\w{36}/.test(content);
}

function isBroken(tree: Tree): boolean {
  for (const content of tree.values()) if (content.startsWith(BROKEN)) return true;
  return false;
}
