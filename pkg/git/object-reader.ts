import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

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
 * died) is undefined, and who has to know asks git anew.
 */
export class ObjectReader {
  readonly #process: StayingProcess;
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #questions: Question[] = [];
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** How much has to be there before it is worth looking again. */
  #wantedBytes = 0;
  #ending: NodeJS.Timeout | undefined;

  constructor(process: StayingProcess) {
    this.#process = process;
  }

  /** @param name - an id, a full ref, or either with `^{tree}` and the like behind it */
  id(name: string): Promise<string | undefined> {
    return this.#ask("info", name).then((found) => found?.id);
  }

  object(name: string): Promise<FoundObject | undefined> {
    return this.#ask("contents", name);
  }

  #ask(command: "info" | "contents", name: string): Promise<FoundObject | undefined> {
    // One line is one question, and no valid name has a blank in it.
    if (name === "" || /\s/.test(name)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      clearTimeout(this.#ending);
      this.#questions.push({ wantsContent: command === "contents", answer: resolve });
      this.#child ??= this.#start();
      hold(this.#child, "ref");
      this.#child.stdin.write(`${command} ${name}\n`);
    });
  }

  #start(): ChildProcessByStdio<Writable, Readable, null> {
    const { file, args, env, cwd } = this.#process;
    const child = spawn(file, [...args], { cwd, env, stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.on("error", () => this.#giveUp(child));
    child.on("error", () => this.#giveUp(child));
    child.on("close", () => this.#giveUp(child));
    child.stdout.on("data", (chunk: Buffer) => {
      if (child === this.#child) this.#take(chunk);
    });
    return child;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
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
    const child = this.#child;
    if (child !== undefined) hold(child, "unref");
    this.#ending = setTimeout(() => {
      this.#child = undefined;
      this.#received = [];
      this.#receivedBytes = 0;
      child?.stdin.end();
    }, idleMs).unref();
  }

  /** The process is gone, or about to be: its open questions get no answer, the next starts another one. */
  #giveUp(child: ChildProcessByStdio<Writable, Readable, null>): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#received = [];
    this.#receivedBytes = 0;
    this.#wantedBytes = 0;
    child.kill();
    for (const { answer } of this.#questions.splice(0)) answer(undefined);
  }
}

/** Without a question it keeps nobody from ending; and when this process ends, so does its input, and it with that. */
function hold(child: ChildProcessByStdio<Writable, Readable, null>, how: "ref" | "unref"): void {
  child[how]();
  for (const stream of [child.stdin, child.stdout])
    (stream as unknown as Record<typeof how, () => void>)[how]();
}
