/** A ledger for tests that keeps its lines in memory. */
import type { Clock } from "../../runtime/clock.ts";
import type { Ledger } from "../ledger.ts";
import type { Line, Step } from "../ledger-lines.ts";
import { LedgerState } from "../ledger-state.ts";

export class MemoryLedger implements Ledger {
  readonly state = new LedgerState();
  readonly lines: Line[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    void this.append({ step: "opened", ledger: "memory", version: 1 });
  }

  async append(step: Step): Promise<void> {
    const line = { seq: this.state.seq + 1, at: this.#clock.now(), ...step };
    this.state.apply(line);
    this.lines.push(line);
  }

  async close(): Promise<void> {}
}
