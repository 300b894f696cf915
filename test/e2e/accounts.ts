/** The ledger held against what the upstream itself counted, both recomputed from their files alone. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { WorkspaceFolder } from "../../cmd/bosun/workspace-folder.ts";
import type { Line } from "../../pkg/gateway/ledger-lines.ts";
import type { NanoUSD } from "../../pkg/gateway/money.ts";
import type { RequestRecord } from "../../pkg/rehearsal/request-log.ts";

/** One request as its lines in the ledger tell it. */
export interface LedgerRequest {
  id: string;
  /** Which work it is for: a project's execution, or its review. */
  work: string;
  session: string;
  model: string;
  /** Names of its steps, in order. */
  steps: string[];
  sentMs?: number;
  endMs?: number;
  upstreamId?: string;
  /** Reserved, then charged. */
  cost: NanoUSD;
  /** Which turn of the session, and which of its hosts asked for it. */
  turn?: number;
  host?: string;
  /** The requests that it says it pays for again. */
  resume?: string;
  again?: string;
}

export interface Accounts {
  ledger: readonly LedgerRequest[];
  /** The upstream's, each in its newest state. */
  upstream: readonly RequestRecord[];
}

const waysToEnd = ["released", "settled", "unsettled"];

export function accountsOf({ operator }: WorkspaceFolder): Accounts {
  return {
    ledger: ledgerRequests(jsonLines<Line>(path.join(operator, "rehearsal-ledger", "ledger.jsonl"))),
    upstream: newest(jsonLines<RequestRecord>(path.join(operator, "rehearsal.jsonl"))),
  };
}

/**
 * Whatever is wrong between the two, a sentence each: a request that the upstream counted and the ledger has not
 * exactly once, not at its cost where it ended complete, or for less; one that the ledger has and never ended.
 */
export function discrepancies({ ledger, upstream }: Accounts): string[] {
  const wrong: string[] = [];
  for (const { id, steps } of ledger) {
    const [first, ...rest] = steps;
    const last = rest.pop();
    const between = rest.join(" ");
    if (first !== "reserved" || !waysToEnd.includes(last ?? "") || !["", "sent"].includes(between))
      wrong.push(`The ledger's request ${id} went ${steps.join(", ")}.`);
  }
  for (const [record, request] of pairs({ ledger, upstream })) {
    const counted = record.costNanoUSD ?? 0;
    if (request === undefined) {
      wrong.push(`${record.id} (${record.ended}, ${counted} nano-dollars) is not in the ledger.`);
      continue;
    }
    const isExact = request.steps.at(-1) === "settled" && record.ended === "Complete";
    if (isExact ? request.cost !== counted : request.cost < counted)
      wrong.push(
        `${record.id} (${record.ended}) cost ${counted}, and the ledger has ${request.cost} as ${request.steps.at(-1)}.`,
      );
  }
  const known = new Set(upstream.map(({ id }) => id));
  const named = ledger.flatMap(({ upstreamId }) => (upstreamId === undefined ? [] : [upstreamId]));
  for (const id of named) if (!known.has(id)) wrong.push(`The upstream never counted ${id}.`);
  for (const id of repeated(named)) wrong.push(`The ledger has ${id} more than once.`);
  return wrong;
}

/** Work that a session went on with after another one had taken it over, a sentence each. */
export function intrusions({ ledger }: Pick<Accounts, "ledger">): string[] {
  const wrong: string[] = [];
  const over = new Set<string>();
  const current = new Map<string, string>();
  for (const { work, session } of ledger) {
    const before = current.get(work);
    if (before !== undefined && before !== session) over.add(`${work} by ${before}`);
    if (over.has(`${work} by ${session}`)) wrong.push(`${session} came back to the ${work}.`);
    current.set(work, session);
  }
  return wrong;
}

/**
 * Turns that were paid for again where no crash explains it, a sentence each: every repeated payment names the one
 * that it repeats, and each host of a session resumes one turn at most, the first that it asks for.
 */
export function repeats({ ledger }: Pick<Accounts, "ledger">): string[] {
  const wrong: string[] = [];
  const asked = new Map<string, LedgerRequest[]>();
  const hosts = new Map<string, number>();
  for (const request of ledger) {
    const { id, session, turn, host, resume, again } = request;
    if (turn === undefined) wrong.push(`Request ${id} does not say which turn it asks for.`);
    const key = `turn ${turn} of ${session}`;
    const before = asked.get(key) ?? [];
    asked.set(key, [...before, request]);
    const named = before.find((one) => one.id === (resume ?? again));
    const isPaidAgain = request.cost > 0 && before.some(({ cost }) => cost > 0);
    if ((resume ?? again) !== undefined && named === undefined)
      wrong.push(`Request ${id} says that it repeats ${resume ?? again}, which did not ask for ${key}.`);
    if (isPaidAgain && named === undefined)
      wrong.push(`Request ${id} pays for ${key} again and does not say so.`);
    if (named !== undefined && (named.host === host) !== (resume === undefined))
      wrong.push(`Request ${id} repeats ${named.id} and says the wrong reason.`);
    const first = hosts.get(`${host}`);
    hosts.set(`${host}`, first ?? turn ?? 0);
    if (resume !== undefined && first !== undefined && first !== turn)
      wrong.push(`Host ${host} resumes ${key} after turn ${first}.`);
  }
  return wrong;
}

/** What crashes cost: the turns that were paid again, out of all. */
export function paidAgain({ ledger }: Pick<Accounts, "ledger">): string {
  const usd = (requests: readonly LedgerRequest[]): string =>
    (requests.reduce((sum, { cost }) => sum + cost, 0) / 1e9).toFixed(4);
  const paid = ledger.filter(({ cost }) => cost > 0);
  const again = paid.filter(({ resume }) => resume !== undefined);
  return `${again.length} of ${paid.length} turns were paid again, $${usd(again)} of $${usd(paid)}`;
}

/**
 * Each of the upstream's records with its request in the ledger. A request that was cut before its status came has no
 * name there: it is found by model and time, each at most once, always the one that ended first (which finds a
 * partner for every record if there is any way to).
 */
function pairs({ ledger, upstream }: Accounts): [RequestRecord, LedgerRequest | undefined][] {
  const byName = new Map(ledger.map((request) => [request.upstreamId, request]));
  const nameless = ledger
    .filter(({ upstreamId, steps }) => upstreamId === undefined && steps.at(-1) === "unsettled")
    .sort((a, b) => (a.endMs ?? 0) - (b.endMs ?? 0));
  return [...upstream]
    .sort((a, b) => a.startMs - b.startMs)
    .map((record) => {
      const named = byName.get(record.id);
      if (named !== undefined) return [record, named];
      const index = nameless.findIndex(
        ({ model, sentMs = Number.POSITIVE_INFINITY, endMs = 0 }) =>
          model === record.model && sentMs <= record.startMs && record.startMs <= endMs,
      );
      return [record, index === -1 ? undefined : nameless.splice(index, 1)[0]];
    });
}

function ledgerRequests(lines: readonly Line[]): LedgerRequest[] {
  const requests = new Map<string, LedgerRequest>();
  for (const line of lines) {
    if (!("id" in line)) continue;
    const unknown: LedgerRequest = { id: line.id, work: "", session: "", model: "", steps: [], cost: 0 };
    const request = requests.get(line.id) ?? unknown;
    requests.set(line.id, request);
    request.steps.push(line.step);
    if (line.step === "reserved") {
      const { purpose, project, session, model, cost, turn, host, resume, again } = line;
      const work = `${purpose} of ${project}`;
      Object.assign(request, { work, session, model, cost, turn, host, resume, again });
    }
    if (line.step === "sent") request.sentMs = line.at;
    if (waysToEnd.includes(line.step)) request.endMs = line.at;
    if (line.step === "released") request.cost = 0;
    if (line.step === "settled" || line.step === "unsettled") {
      request.cost = line.cost;
      if (line.upstreamId !== undefined) request.upstreamId = line.upstreamId;
    }
  }
  return [...requests.values()];
}

function newest(records: readonly RequestRecord[]): RequestRecord[] {
  return [...new Map(records.map((record) => [record.id, record])).values()];
}

/** The whole lines of a file; one that a kill cut off is no line. */
function jsonLines<T>(file: string): T[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
