/** What was found, the same thing once. */
import type { FuzzRequest } from "./request.ts";

export type FindingKind = "crash" | "hang" | "answer" | "log" | "state" | "files";

export interface Finding {
  kind: FindingKind;
  what: string;
  /** The first that showed it: a request, an object or lines of the log. */
  example: string;
  /** The first few that showed it. */
  requests: FuzzRequest[];
  times: number;
}

const requestsKept = 10;

export class Findings {
  readonly #byMark = new Map<string, Finding>();
  #logged = "";

  get count(): number {
    return this.#byMark.size;
  }

  all(): readonly Finding[] {
    return [...this.#byMark.values()];
  }

  add(kind: FindingKind, what: string, example: string, request?: FuzzRequest): void {
    const mark = `${kind} ${markOf(what)}`;
    const known = this.#byMark.get(mark);
    const finding = known ?? { kind, what, example, requests: [], times: 0 };
    finding.times += 1;
    if (request !== undefined && finding.requests.length < requestsKept) finding.requests.push(request);
    this.#byMark.set(mark, finding);
  }

  /** Takes the stacks out of what a server has logged: each is a bug. Of a log that only grew, the new part counts. */
  addLog(log: string): void {
    const added = log.startsWith(this.#logged) ? log.slice(this.#logged.length) : log;
    this.#logged = log;
    const lines = added.split("\n");
    for (const [index, line] of lines.entries()) {
      if (!/^\s+at /.test(line) || /^\s+at /.test(lines[index - 1] ?? "")) continue;
      const message = lines[index - 1] ?? "";
      const frame = lines.slice(index).find((each) => /\(?file:.*\/(pkg|cmd)\//.test(each)) ?? line;
      const where = /\/((?:pkg|cmd)\/[^:]+:\d+)/.exec(frame)?.[1] ?? frame.trim();
      this.add("log", `${message} (${where})`, lines.slice(index - 1, index + 12).join("\n"));
    }
  }
}

/** The same but for names, numbers and quoted values. */
function markOf(what: string): string {
  return what
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\d+/g, "0")
    .slice(0, 160);
}
