/**
 * Promise 1: no overspend. Recomputed from the upstream's own bills: whenever something is reserved, what it has billed
 * or may yet bill in the windows of the reservation stays within every limit then in force.
 */
import type { Line, Reserved } from "../../../pkg/gateway/ledger-lines.ts";
import type { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import { type BudgetPolicy, NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { AGREEMENT_MS } from "../../../pkg/gateway/trusted-time.ts";
import { type Period, type Window, windowAt } from "../../../pkg/gateway/windows.ts";
import type { World } from "../world.ts";
import { promise } from "./promise.ts";
import { Taken } from "./taken.ts";

const hold = promise(1, "no overspend");

/** The `Date` of an answer has whole seconds, and was heard a moment ago. */
const roundingMs = 2_000;
const nothing = { cost: 0, tokens: 0 };

/** What has to be told of the ledger. */
export interface LedgerWatch {
  /** @param text - what its file says */
  opened(state: LedgerState, text: string): void;
  line(line: Line): void;
}

export function noOverspend(world: Pick<World, "money">): LedgerWatch {
  const { money } = world;
  const { upstream } = money;
  const requests = new Map<string, Reserved & Line>();
  const ended = new Set<string>();
  const taken = new Taken();
  const windows = new Map<string, Window>();
  /** Reserved in the file of a ledger that was read back: the state may have them in its sums alone. */
  let written: ReadonlySet<string> = new Set();
  let newestMs = Number.NEGATIVE_INFINITY;

  upstream.onBill = counts;
  const opened = (state: LedgerState, text: string): void => {
    const isKnown = (id: string): boolean => {
      if (state.request(id) !== undefined || written.has(id)) return true;
      written = reservedIn(text);
      return written.has(id);
    };
    newestMs = state.newestMs ?? Number.NEGATIVE_INFINITY;
    let billed = 0;
    for (const [id, bill] of upstream.bills) {
      billed += bill.cost;
      hold(isKnown(id), () => `${id} was billed, and the ledger does not know of it`);
    }
    const { spent, reserved } = state.sums({});
    hold(spent + reserved >= billed, () => `${billed} were billed, and the ledger has ${spent + reserved}`);
    for (const [id, line] of requests) {
      const known = state.request(id);
      // Not on the disk when its gateway died, and so never sent.
      if (!isKnown(id)) {
        requests.delete(id);
        taken.forget(id);
      } else if (!ended.has(line.id)) {
        hold(known !== undefined, () => `${id} has not ended, and the ledger knows it by its sums alone`);
        if (known !== undefined) endedWith(id, known);
      }
    }
  };
  const lineAdded = (line: Line): void => {
    if (line.step === "reserved") {
      requests.set(line.id, line);
      counts(line.id);
      reserved(line);
    }
    if (line.step === "released") endedWith(line.id, { cost: 0, tokens: 0 });
    if (line.step === "settled" || line.step === "unsettled") endedWith(line.id, line);
    hold(
      line.step !== "violated",
      () => "a bound was violated by an upstream that keeps within its promises",
    );
  };
  return { opened, line: lineAdded };

  function endedWith(id: string, charged: { cost: number; tokens: number }): void {
    ended.add(id);
    counts(id);
    const bill = upstream.bills.get(id);
    hold(
      bill === undefined || (bill.cost <= charged.cost && bill.tokens <= charged.tokens),
      () => `request ${id} was billed ${bill?.cost} nano-dollars and charged with ${charged.cost}`,
    );
  }

  /** Until it has ended a request may yet be billed all that is reserved for it; then it counts for its bill. */
  function counts(id: string): void {
    const line = requests.get(id);
    if (line !== undefined) taken.count(line, ended.has(id) ? (upstream.bills.get(id) ?? nothing) : line);
  }

  function reserved(line: Reserved & Line): void {
    hold(line.at >= newestMs, () => `a reservation was counted at ${line.at}, after one at ${newestMs}`);
    newestMs = line.at;
    hold(
      line.at <= upstream.trueMs + AGREEMENT_MS + roundingMs,
      () => `a reservation was counted at ${new Date(line.at).toISOString()}, which is yet to come`,
    );
    for (const policy of money.policies)
      for (const period of ["daily", "monthly"] as const) {
        const limit = policy[period];
        if (limit === undefined || !holdsFor(policy, line)) continue;
        const { name, startMs, endMs } = windowOf(period, line.at, policy.timeZone);
        const sum = taken.within({ selector: policy.selector, startMs, endMs });
        const cost = sum.cost / NANO_PER_USD;
        hold(
          limit.usd === undefined || sum.cost <= Math.floor(limit.usd * NANO_PER_USD + 1e-6),
          () => `${policy.name} allows ${limit.usd} USD in ${name}, and ${cost} are spent or reserved`,
        );
        hold(
          limit.tokens === undefined || sum.tokens <= limit.tokens,
          () => `${policy.name} allows ${limit.tokens} tokens in ${name}, of which ${sum.tokens} are taken`,
        );
      }
  }

  /** The calendar is slow, and asked at every reservation. */
  function windowOf(period: Period, atMs: number, timeZone: string): Window {
    const key = `${period} ${timeZone}`;
    const known = windows.get(key);
    if (known !== undefined && known.startMs <= atMs && atMs < known.endMs) return known;
    const window = windowAt(period, atMs, timeZone);
    windows.set(key, window);
    return window;
  }
}

/** The ids of all requests that a ledger's lines reserve. */
function reservedIn(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/"step":"reserved","id":"([^"]*)"/g)].flatMap(([, id]) =>
      id === undefined ? [] : [id],
    ),
  );
}

function holdsFor({ selector }: BudgetPolicy, { labels }: Reserved): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
