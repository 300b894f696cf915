import type { NanoUSD } from "../gateway/money.ts";
import { RotatingFile } from "../system/rotating-file.ts";
import type { BilledUsage } from "./bill.ts";

/** What the upstream counted of one request. */
export interface RequestRecord {
  /** As in the header `request-id`. */
  id: string;
  /** As in the answer's `id`; absent when there was no answer. */
  message?: string;
  /** Wall time, ms. */
  startMs: number;
  endMs?: number;
  model: string;
  /** Assistant turns before it. */
  turn: number;
  scenario: string;
  step: string;
  status: number;
  /**
   * `Open` while it runs. `Refused`: an invalid request. `Fault`: an error status that the scenario asked for. `Cut`: the upstream
   * broke off. `ClientLeft`: the client did, during a hang too.
   */
  ended: "Open" | "Complete" | "Refused" | "Fault" | "Cut" | "ClientLeft";
  /** What was sent so far is what is billed. */
  usage: BilledUsage;
  /** Absent for a model without a price. */
  costNanoUSD?: NanoUSD;
}

/** Of the file and of its predecessor: 20,000 requests each. */
const bytesMax = 10 * 1024 * 1024;
/** In memory. */
const recordsMax = 10_000;

/** The upstream's own count, to compare a ledger with. */
export class RequestLog {
  readonly #records: RequestRecord[] = [];
  readonly #file: RotatingFile | undefined;

  /**
   * @param path - JSON lines; a request has one at its start and one at its end, the last one counts. The older ones are
   * in `PATH.1`, those before them are gone.
   */
  constructor(path: string | undefined) {
    this.#file = path === undefined ? undefined : new RotatingFile({ path, bytesMax, kept: 1 });
  }

  /** The newest, oldest first. */
  all(): readonly RequestRecord[] {
    return this.#records;
  }

  begin(record: RequestRecord): RequestRecord {
    this.#records.push(record);
    if (this.#records.length > recordsMax) this.#records.shift();
    this.#append(record);
    return record;
  }

  end(record: RequestRecord, outcome: Partial<RequestRecord>): void {
    Object.assign(record, outcome);
    this.#append(record);
  }

  #append(record: RequestRecord): void {
    this.#file?.append(`${JSON.stringify(record)}\n`);
  }
}
