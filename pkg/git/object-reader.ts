import { type ChildProcess, spawn } from "node:child_process";
import { endIdle } from "./end-idle.ts";
import { endLate } from "./end-late.ts";
import { hold } from "./hold.ts";
import { type GitLimits, gitLimits } from "./limits.ts";
import { type Patience, patience } from "./patience.ts";

export interface FoundObject {
  id: string;
  type: string;
  /** Empty when only the id was asked for. */
  content: Buffer;
}

/** How a process of git that stays is started. */
export interface StayingProcess {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

interface Question {
  wantsContent: boolean;
  answer(found: FoundObject | undefined): void;
}

/** Without a question for so long its process is ended, in milliseconds: it holds memory and the packs it has open. */
const idleMs = 5_000;
const header = /^([0-9a-f]{40}) (\w+) (\d+)$/;

/**
 * Reads ids and objects from one `git cat-file --batch-command` that stays: an answer takes microseconds, a process of
 * git for each takes the operator milliseconds in which it can do nothing else.
 *
 * It only ever says what is there. Whatever it can't answer (nothing there, a name that is ambiguous, a process that
 * died or falls silent) is undefined, and who has to know asks git anew.
 */
export class ObjectReader {
  readonly #process: StayingProcess;
  readonly #limits: Pick<GitLimits, "quickMs" | "graceMs">;
  #child: ChildProcess | undefined;
  /** Those that were told to end are among them until they have. */
  readonly #living = new Set<ChildProcess>();
  #questions: Question[] = [];
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** How much has to be there before it is worth looking again. */
  #wantedBytes = 0;
  #ending: NodeJS.Timeout | undefined;
  /** While there is a question. */
  #waiting: Patience | undefined;

  constructor(process: StayingProcess, limits: Pick<GitLimits, "quickMs" | "graceMs"> = gitLimits) {
    this.#process = process;
    this.#limits = limits;
  }

  /** @param name - an id, a full ref, or either with `^{tree}` and the like behind it */
  id(name: string): Promise<string | undefined> {
    return this.#ask("info", name).then((found) => found?.id);
  }

  object(name: string): Promise<FoundObject | undefined> {
    return this.#ask("contents", name);
  }

  /** Ends its process, and waits until it is gone; the next question starts another. While one is open it goes on. */
  async end(): Promise<void> {
    if (this.#questions.length > 0) return;
    clearTimeout(this.#ending);
    this.#forget();
    await Promise.all([...this.#living].map((child) => endIdle(child, this.#limits.graceMs)));
  }

  #ask(command: "info" | "contents", name: string): Promise<FoundObject | undefined> {
    // One line is one question, and no valid name has a blank in it.
    if (name === "" || /\s/.test(name)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      clearTimeout(this.#ending);
      this.#questions.push({ wantsContent: command === "contents", answer: resolve });
      const child = this.#child ?? this.#start();
      this.#child = child;
      this.#waiting ??= patience(this.#limits.quickMs, () => this.#fellSilent(child));
      hold(child, "ref");
      child.stdin?.write(`${command} ${name}\n`);
    });
  }

  /** One that could not be started says so by an error; for want of open files it has no pipes either. */
  #start(): ChildProcess {
    const { file, args, env, cwd } = this.#process;
    const child = spawn(file, [...args], { cwd, env, stdio: ["pipe", "pipe", "ignore"] });
    this.#living.add(child);
    for (const event of ["error", "exit"]) child.on(event, () => this.#living.delete(child));
    child.stdin?.on("error", () => this.#giveUp(child));
    child.on("error", () => this.#giveUp(child));
    child.on("close", () => this.#giveUp(child));
    child.stdout?.on("data", (chunk: Buffer) => {
      if (child === this.#child) this.#take(chunk);
    });
    return child;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    this.#waiting?.heard();
    if (this.#receivedBytes < this.#wantedBytes) return;
    let rest = Buffer.concat(this.#received);
    for (let taken = this.#answerFirst(rest); taken > 0; taken = this.#answerFirst(rest))
      rest = rest.subarray(taken);
    this.#received = [rest];
    this.#receivedBytes = rest.length;
    if (this.#questions.length === 0) this.#endWhenIdle();
  }

  /** Answers the oldest question out of `received`; gives back how many bytes that took, 0 when it is not all there. */
  #answerFirst(received: Buffer): number {
    this.#wantedBytes = 0;
    const [question] = this.#questions;
    const end = received.indexOf("\n");
    if (question === undefined || end === -1) return 0;
    const [, id, type, size] = header.exec(received.toString("utf8", 0, end)) ?? [];
    if (id === undefined || type === undefined) {
      this.#questions.shift();
      question.answer(undefined);
      return end + 1;
    }
    const contentEnd = end + 1 + (question.wantsContent ? Number(size) + 1 : 0);
    if (received.length < contentEnd) {
      this.#wantedBytes = contentEnd;
      return 0;
    }
    this.#questions.shift();
    // A copy: what else arrived with it need not be kept as long.
    const content = question.wantsContent
      ? Buffer.from(received.subarray(end + 1, contentEnd - 1))
      : Buffer.alloc(0);
    question.answer({ id, type, content });
    return contentEnd;
  }

  #endWhenIdle(): void {
    this.#waitNoLonger();
    const child = this.#child;
    if (child !== undefined) hold(child, "unref");
    this.#ending = setTimeout(() => {
      this.#forget();
      child?.stdin?.end();
    }, idleMs).unref();
  }

  #fellSilent(child: ChildProcess): void {
    this.#giveUp(child);
    // It changes nothing, so nobody waits until it is gone.
    endLate(child, this.#limits.graceMs).catch(() => child.kill("SIGKILL"));
  }

  /** The process is gone, or about to be: its open questions get no answer, the next starts another one. */
  #giveUp(child: ChildProcess): void {
    if (child !== this.#child) return;
    this.#forget();
    this.#waitNoLonger();
    child.kill();
    for (const { answer } of this.#questions.splice(0)) answer(undefined);
  }

  #forget(): void {
    this.#child = undefined;
    this.#received = [];
    this.#receivedBytes = 0;
    this.#wantedBytes = 0;
  }

  #waitNoLonger(): void {
    this.#waiting?.end();
    this.#waiting = undefined;
  }
}
