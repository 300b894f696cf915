/** One run of fuzzing against a server: what is sent, what is wrong with the answers, and whether the state is whole. */
import { rmSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { prng } from "../simulation/kernel/prng.ts";
import { compareStates, readState, type State, tidyUp, unwritable } from "./consistency.ts";
import { corpus } from "./corpus.ts";
import { Findings } from "./findings.ts";
import { objection } from "./judge.ts";
import { mutate, pick } from "./mutate.ts";
import { mutateBytes } from "./mutate-body.ts";
import { Placeholders } from "./placeholders.ts";
import { describeRequest, type FuzzRequest } from "./request.ts";
import { type Outcome, openSender, rawRequest, type Sender } from "./sender.ts";
import { newDataFolder, startServer } from "./server-process.ts";

export interface CampaignOptions {
  requests: number;
  seed: number;
  /** Requests in flight at once. */
  concurrency: number;
  /** Told how far it is, from time to time. */
  onProgress(sent: number, findings: Findings): void;
}

export interface Report {
  seed: number;
  requests: number;
  /** By status code: how many answers. */
  statuses: Readonly<Record<string, number>>;
  /** How many objects were there when the state was compared. */
  objects: number;
  slowestMs: number;
  findings: Findings;
}

/** An answer that takes longer is a hang, in milliseconds, if it does so as often in a row, alone: now and then a busy machine does it. */
const hangMs = 1_000;
const hangAttempts = 10;
/** After so many requests what was slow is tried alone, the objects are counted and most are removed. */
const roundRequests = 4_000;
/** After so many rounds the server is killed and its state compared. */
const killRounds = 5;

/** The state has come to rest when it is the same after so many milliseconds; so often it is looked. */
const restMs = 100;
const restAttempts = 30;

const nowMs = (): number => performance.now();

/**
 * Sends mutations of the corpus, each decided by `seed`; what comes back and when decides the rest (resourceVersions,
 * which of two writers wins), so a finding keeps the requests as they were sent.
 */
export async function fuzzApiServer(options: CampaignOptions): Promise<Report> {
  // Each connection draws from a stream of its own: what one sends does not depend on when another is answered.
  const streams = Array.from({ length: options.concurrency }, (_, index) => {
    const random = prng(options.seed, `connection ${index}`);
    return { random, next: random.below(10_000) };
  });
  const all = corpus();
  const findings = new Findings();
  const known = new Placeholders();
  const statuses: Record<string, number> = {};
  const data = newDataFolder();
  let server = await startServer(data);
  let sender = openSender(server, options.concurrency, nowMs);
  let slowestMs = 0;
  let sent = 0;
  let objects = 0;

  try {
    for (let round = 1; sent < options.requests; round += 1) {
      const count = Math.min(roundRequests, options.requests - sent);
      await sendRound(count);
      const isLast = sent >= options.requests;
      const broken = server.hasEnded() ? "The server ended." : await unreadiness(sender);
      if (broken !== undefined) {
        findings.add("crash", broken, lastLines(server.log()));
        await server.end("SIGKILL");
        await restart();
      }
      if (round % killRounds === 0 || isLast) await compareOverRestarts(isLast);
      findings.addLog(server.log());
      options.onProgress(sent, findings);
      if (!isLast) await tidyUp(sender);
    }
    return { seed: options.seed, requests: sent, statuses, objects, slowestMs, findings };
  } finally {
    sender.close();
    await server.end("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }

  async function sendRound(count: number): Promise<void> {
    const suspects: FuzzRequest[] = [];
    const work = async (stream: (typeof streams)[number], share: number): Promise<void> => {
      const { random } = stream;
      for (let left = share; left > 0 && !server.hasEnded(); left -= 1) {
        sent += 1;
        // Mostly in the order of the scenarios: what is patched was created before, unless that went wrong.
        stream.next = random.chance(0.05) ? random.below(all.length) : (stream.next + 1) % all.length;
        const made = mutate(all[stream.next] ?? pick(all, random), all, random);
        const raw = random.chance(0.02) ? mutateBytes(rawRequest(made, server), random) : undefined;
        if (raw !== undefined) {
          await sender.sendRaw(raw);
          continue;
        }
        const request = known.fill(made);
        const outcome = await sender.send(request);
        if (judged(request, outcome)) suspects.push(request);
      }
    };
    const share = Math.ceil(count / streams.length);
    await Promise.all(streams.map((stream) => work(stream, share)));
    for (const request of suspects.slice(0, 20)) await tryAlone(request);
  }

  /** @returns whether it was too slow, among others */
  function judged(request: FuzzRequest, outcome: Outcome): boolean {
    const key = outcome.is === "answered" ? outcome.answer.status : outcome.is;
    statuses[key] = (statuses[key] ?? 0) + 1;
    if (outcome.is !== "answered") return outcome.is === "silent";
    const { answer } = outcome;
    known.learn(answer.text);
    slowestMs = Math.max(slowestMs, answer.tookMs);
    const wrong = objection(request.method, answer);
    if (wrong !== undefined) findings.add("answer", wrong, describeRequest(request), request);
    return answer.tookMs > hangMs;
  }

  /** What was slow among others may have waited for one of them. */
  async function tryAlone(request: FuzzRequest): Promise<void> {
    for (let attempt = 0; attempt < hangAttempts; attempt += 1) {
      if (server.hasEnded()) return;
      const outcome = await sender.send(request);
      const tookMs =
        outcome.is === "answered" ? outcome.answer.tookMs : outcome.is === "silent" ? Infinity : 0;
      if (tookMs <= hangMs) return;
    }
    findings.add(
      "hang",
      `No answer in ${hangMs} ms, alone and ${hangAttempts} times.`,
      describeRequest(request),
      request,
    );
  }

  async function compareOverRestarts(isLast: boolean): Promise<void> {
    const before = await stateOf(sender);
    objects = before.objects.size;
    for (const [at, why] of await unwritable(sender, before)) findings.add("state", why, at);
    for (const signal of isLast ? (["SIGKILL", "SIGTERM"] as const) : (["SIGKILL"] as const)) {
      findings.addLog(server.log());
      await server.end(signal);
      await restart();
      const after = await stateOf(sender);
      for (const difference of compareStates(before, after))
        findings.add("state", `After ${signal} and a start the state is another.`, difference);
    }
  }

  /** The state once it has come to rest: definitions are established, and owners' objects removed, a moment later. */
  async function stateOf(of: Sender): Promise<State> {
    let state = await readState(of);
    for (let attempt = 0; attempt < restAttempts; attempt += 1) {
      const before = state;
      await sleep(restMs);
      state = await readState(of);
      if (compareStates(before, state).length === 0) break;
    }
    for (const problem of state.problems) findings.add("state", problem, problem);
    return state;
  }

  async function restart(): Promise<void> {
    sender.close();
    server = await startServer(data);
    sender = openSender(server, options.concurrency, nowMs);
  }
}

/** Why the server is no longer ready, such as for a storage that failed; undefined while it is. */
async function unreadiness(sender: Sender): Promise<string | undefined> {
  const ready = await sender.send({
    method: "GET",
    path: "/readyz",
    query: [],
    headers: {},
    body: undefined,
  });
  if (ready.is !== "answered") return `Asked whether it is ready it was ${ready.is}.`;
  return ready.answer.status === 200 ? undefined : `It is no longer ready: ${ready.answer.text}`;
}

function lastLines(log: string): string {
  return log.split("\n").slice(-30).join("\n");
}
