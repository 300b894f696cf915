/** What is between one operator and the API server: what a request meets on the way there, and an answer on the way back. */
import { type Status, StatusError } from "../../../pkg/api/status-error.ts";
import type { Answer, Carried, Transport } from "../../../pkg/cluster/transport.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Incarnation } from "../kernel/scheduler.ts";
import type { Served, SimServer, Told } from "./server.ts";

/** Probabilities, 0 to 1, of what goes wrong with a request or a chunk of a watch. May be changed while a run goes on. */
export interface NetworkFaults {
  /** No connection, or 503: nothing was done. */
  refused: number;
  /** 429 with a `Retry-After`: nothing was done. */
  busy: number;
  /** 500: nothing was done. */
  failed: number;
  /** Somebody else wrote first. */
  conflict: number;
  /** It was done, and the connection breaks, or 504. */
  lost: number;
  /** It was done, and its answer takes up to half a minute. */
  slow: number;
  /** A watch's connection breaks, within a line or between two. */
  cut: number;
  /** A watch ends in order. */
  ended: number;
  /** A watch's history is gone. */
  expired: number;
  /** A watch tells nothing more, and nobody says so. */
  silent: number;
}

/** How often steps come between a request and its answer, and then how often one more: a watch may tell it first. */
const lateAnswers = 0.25;
const laterAnswers = 0.5;
const slowMsMax = 30_000;

/** Why a stream ends; one for all, since making a DOMException each time would cost more than the end. */
const over = new Error("The connection is over");

type Fate = "told" | "cut" | "ended" | "expired" | "silent";

interface Stream {
  /** What became of the connection. */
  fate: Fate;
  /** Ends what the server tells. */
  ending: AbortController;
}

/** A watch: of what, through what, and of whom. */
interface Telling {
  resource: string;
  stream: Stream;
  life: Pick<Incarnation, "task" | "clock">;
  carried: Carried;
}

export interface SimNetworkOptions {
  server: SimServer;
  chance: Prng;
  faults: NetworkFaults;
  /** Told of each request that would write an object, as it is sent. */
  onWrite(): void;
}

export class SimNetwork {
  readonly #options: SimNetworkOptions;
  readonly #streams = new Set<Stream>();
  #away: "here" | "refused" | "silent" = "here";
  #ofElections = 0;

  constructor(options: SimNetworkOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#away !== "here";
  }

  /** Steps that renewing and asking for the Lease took: a price of time, not of work. */
  get electionSteps(): number {
    return this.#ofElections;
  }

  /** From now on the server can't be reached: it says so, or nothing at all. */
  cutOff(how: "refused" | "silent"): void {
    this.#away = how;
    this.dropWatches(how === "refused" ? "cut" : "silent");
  }

  restore(): void {
    this.#away = "here";
  }

  /** Every watch breaks, as when the server is restarted. */
  dropWatches(fate: "cut" | "silent" = "cut"): void {
    for (const stream of [...this.#streams]) end(stream, fate);
  }

  /** What a life of the operator sends its requests through. */
  transport(life: Pick<Incarnation, "task" | "clock">): Transport {
    return async (carried) => {
      const url = new URL(carried.url);
      const { pathname } = url;
      const isLease = pathname.includes("/leases");
      if (isLease) this.#ofElections += carried.method === "GET" ? 2 : 1;
      else if (carried.method !== "GET") this.#options.onWrite();
      const label = `${carried.method} ${pathname.replace(/^.*\/v1(alpha1)?\/(namespaces\/default\/)?/, "")}`;
      const stream: Stream = { fate: "told", ending: new AbortController() };
      const outcome = await life.task(label, () => this.#carry(carried, url, stream));
      if (outcome === "silent") throw await silence(life, carried);
      if (!("events" in outcome)) {
        await this.#comeBack(isLease, label, life);
        if (outcome.lost) throw reset();
        return whole(outcome);
      }
      this.#streams.add(stream);
      carried.signal?.addEventListener("abort", () => end(stream, "ended"), { once: true });
      // Given up while it was on its way.
      if (carried.signal?.aborted === true) end(stream, "ended");
      const resource = pathname.replace(/^.*\//, "");
      const told = this.#tell(outcome.events, { resource, stream, life, carried });
      const destroy = (): void => end(stream, "ended");
      return { statusCode: 200, headers: {}, destroy, [Symbol.asyncIterator]: () => told };
    };
  }

  async #carry(
    { method, payload }: Carried,
    url: URL,
    { ending }: Stream,
  ): Promise<"silent" | Extract<Served, { events: unknown }> | Plain> {
    const { server, chance, faults } = this.#options;
    if (this.#away === "silent") return "silent";
    if (this.#away === "refused") throw new Error("connect ECONNREFUSED");
    if (chance.chance(faults.refused)) {
      if (chance.chance(0.5)) throw reset();
      return refusal(503, "ServiceUnavailable");
    }
    if (chance.chance(faults.busy))
      return refusal(429, "TooManyRequests", { "retry-after": `${1 + chance.below(5)}` });
    if (chance.chance(faults.failed)) return refusal(500, "InternalError");
    const isConditional = method === "PUT" || method === "PATCH";
    if (chance.chance(faults.conflict) && isConditional) return refusal(409, "Conflict");
    const lost = chance.chance(faults.lost);
    const body = payload === undefined ? {} : { body: JSON.parse(payload.toString("utf8")) as unknown };
    const served = await server.answer({ method, url, ending: ending.signal, ...body });
    if ("events" in served) return served;
    if (lost && chance.chance(0.3)) return refusal(504, "Timeout");
    return { ...served, headers: {}, lost };
  }

  async #comeBack(isLease: boolean, label: string, life: Pick<Incarnation, "task" | "clock">): Promise<void> {
    const { chance, faults } = this.#options;
    if (chance.chance(faults.slow)) await life.clock.sleep(chance.below(slowMsMax));
    for (let late = chance.chance(lateAnswers); late; late = chance.chance(laterAnswers)) {
      if (isLease) this.#ofElections += 1;
      await life.task(`${label} answers`, () => {});
    }
  }

  async *#tell(
    events: AsyncIterable<readonly Told[]>,
    { resource, stream, life, carried }: Telling,
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of events) {
        const drawn = await life.task(`watch ${resource}`, () => this.#fate());
        if (stream.fate === "told") stream.fate = drawn;
        if (stream.fate === "expired") {
          const gone = new StatusError(410, "Expired", "The history is gone").toStatus();
          yield lines([{ type: "ERROR", object: gone }]);
        }
        const text = lines(chunk);
        if (stream.fate === "cut") yield text.subarray(0, this.#options.chance.below(text.length));
        if (stream.fate !== "told") break;
        yield text;
      }
    } finally {
      stream.ending.abort(over);
      this.#streams.delete(stream);
    }
    if (stream.fate === "cut") throw reset();
    if (stream.fate === "silent") throw await silence(life, carried);
  }

  #fate(): Fate {
    const { chance, faults } = this.#options;
    const roll = chance.next();
    let below = 0;
    for (const fate of ["cut", "ended", "expired", "silent"] as const) {
      below += faults[fate];
      if (roll < below) return fate;
    }
    return "told";
  }
}

interface Plain {
  code: number;
  body: unknown;
  headers: Record<string, string>;
  /** The answer does not arrive. */
  lost: boolean;
}

function refusal(code: number, reason: string, headers: Record<string, string> = {}): Plain {
  const body: Status = new StatusError(code, reason, "The simulated network says so").toStatus();
  return { code, body, headers, lost: false };
}

function whole({ code, body, headers }: Plain): Answer {
  return {
    ...{ statusCode: code, headers, destroy() {} },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(jsonOf(body));
    },
  };
}

function lines(events: readonly Told[]): Buffer {
  const told = events.map(({ type, object }) => `{"type":"${type}","object":${jsonOf(object)}}\n`);
  return Buffer.from(told.join(""));
}

/** The text of what never changes: an object is told to who wrote it and to each who watches. */
const texts = new WeakMap<object, string>();

function jsonOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return JSON.stringify(value);
  const text = texts.get(value) ?? JSON.stringify(value);
  texts.set(value, text);
  return text;
}

function end(stream: Stream, fate: Fate): void {
  if (stream.fate === "told") stream.fate = fate;
  stream.ending.abort(over);
}

/** What a client finds after it has waited for as long as it may. */
async function silence({ clock }: Pick<Incarnation, "clock">, { silentMs, signal }: Carried): Promise<Error> {
  await clock.sleep(silentMs, signal);
  return Object.assign(new Error(`It was silent for ${silentMs / 1000} seconds.`), { code: "ECONNRESET" });
}

function reset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}
