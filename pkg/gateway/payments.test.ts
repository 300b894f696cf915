import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noFailpoints } from "../runtime/failpoints.ts";
import { settled, TestClock } from "../runtime/testing/clock.ts";
import type { Reserved } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";
import type { MessagesRequest } from "./messages-request.ts";
import type { BudgetPolicy, SessionGrant } from "./money.ts";
import { type Payment, Payments, type Reserving } from "./payments.ts";
import { type Price, priceOf } from "./prices.ts";
import { RateLimits } from "./rate-limits.ts";
import type { Ending } from "./settlement.ts";
import { MemoryLedger } from "./testing/ledger.ts";
import { SESSION } from "./testing/spender.ts";
import { reservation } from "./testing/steps.ts";
import { TimeKeeper, troubleOf } from "./time-keeper.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const REQUEST = {
  model: "claude-sonnet-5-5",
  max_tokens: 4_000,
  messages: [{ role: "user", content: "Hi" }],
};
/** Room for one request of about 0.06 USD, not for two. */
const TIGHT: BudgetPolicy = { name: "all", uid: "u", daily: { usd: 0.1 }, timeZone: "UTC", selector: {} };
const AMPLE: BudgetPolicy = { ...TIGHT, daily: { usd: 100 } };
const USED = { input: 50, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 10 };
const ANSWERED: Ending = {
  is: "answered",
  status: 200,
  seen: { start: [USED], final: [USED], contextEdited: false },
};
const NOTHING_SEEN = { start: undefined, final: undefined, contextEdited: false };
const LOST: Ending = { is: "no status", why: "reset" };

/** @param dateOf - what the upstream says when it is asked for the time; throws: it can't be reached */
function world(
  budget: BudgetPolicy | undefined,
  clock: TestClock = new TestClock(),
  dateOf: () => number | Promise<number> = () => clock.now(),
) {
  const ledger = new MemoryLedger(clock);
  const rateLimits = new RateLimits({ clock, random: { next: () => 0.5 } });
  const lease = { held: true };
  const time = new TimeKeeper({
    clock,
    ask: async () => time.heard(new Date(await dateOf()).toUTCString()),
    newestMs: () => ledger.state.newestMs,
    changed: () => queueMicrotask(() => payments.look()),
  });
  let ids = 0;
  const payments = new Payments({
    ledger,
    rateLimits,
    clock,
    ids: { uuid: () => `r${++ids}` },
    failpoints: noFailpoints,
    time,
    hasLease: () => lease.held,
    changed() {},
  });
  if (budget !== undefined) payments.setBudgets([budget]);
  const ask = (
    session: Partial<SessionGrant> = {},
    request: MessagesRequest = REQUEST,
    price: Price = PRICE,
  ): Promise<Reserving> =>
    payments.reserve(request, {
      session: { ...SESSION, ...session },
      price,
      signal: new AbortController().signal,
    });
  const pay = async (ending: Ending): Promise<Payment> => {
    const payment = paymentOf(await ask());
    await payment.sent();
    await payment.end(ending);
    return payment;
  };
  return { clock, ledger, payments, lease, rateLimits, time, ask, pay };
}

function paymentOf(reserving: Reserving): Payment {
  if (reserving.is !== "reserved") throw new Error(`It was not reserved: ${reserving.message}`);
  return reserving.payment;
}

async function isWaiting(asked: Promise<unknown>): Promise<boolean> {
  await settled();
  return (await Promise.race([asked.then(() => "over"), settled()])) !== "over";
}

test("until the first Budgets arrive, and without the lease, nothing is granted; then what waited goes", async () => {
  const { payments, lease, ask, ledger } = world(undefined);
  const asked = ask();
  expect(await isWaiting(asked)).toBe(true);
  lease.held = false;
  payments.setBudgets([AMPLE]);
  expect(await isWaiting(asked)).toBe(true);
  expect(ledger.state.sums({}).requests).toBe(0);
  lease.held = true;
  payments.look();
  expect(await asked).toMatchObject({ is: "reserved" });
});

test("who waits for others' reservations is told after five minutes to come again", async () => {
  const { clock, ask } = world(TIGHT);
  paymentOf(await ask());
  const second = ask({ session: "t" });
  await clock.advance(300_000);
  expect(await second).toMatchObject({
    ...{ is: "waited", retryAfterSeconds: 30 },
    message: expect.stringContaining("others have reserved the money that it needs"),
  });
});

test("a review that came later goes before an execution that waits", async () => {
  const { ask } = world(TIGHT);
  const running = paymentOf(await ask());
  const execution = ask({ session: "t" });
  const review = ask({ session: "u", purpose: "review" });
  await running.sent();
  await running.end(ANSWERED);
  expect(await review).toMatchObject({ is: "reserved" });
  expect(await isWaiting(execution)).toBe(true);
});

test("who waits for money is overtaken by no smaller request for the same Budget, but by those that another pays for", async () => {
  const { payments, ask } = world(undefined);
  const red = { session: "s", labels: { team: "red" } };
  const blue = { session: "b", labels: { team: "blue" } };
  payments.setBudgets(
    [red, blue].map(({ session, labels }) => ({ ...TIGHT, name: session, uid: session, selector: labels })),
  );
  paymentOf(await ask(red));
  const large = ask({ ...red, session: "t" });
  const small = ask({ ...red, session: "u" }, { ...REQUEST, max_tokens: 100 });
  const other = ask(blue);
  expect(await other).toMatchObject({ is: "reserved" });
  expect(await Promise.all([large, small].map(isWaiting))).toEqual([true, true]);
});

test("who waits for money is overtaken by no smaller request that came before the Budgets did: it was taken to want none", async () => {
  const { payments, ask } = world(undefined);
  const first = ask();
  const large = ask({ session: "t" });
  const small = ask({ session: "u" }, { ...REQUEST, max_tokens: 100 });
  payments.setBudgets([TIGHT]);
  expect(await first).toMatchObject({ is: "reserved" });
  expect(await Promise.all([large, small].map(isWaiting))).toEqual([true, true]);
});

test("a raised limit lets go who waits, and a new day whoever the old one had no room for", async () => {
  const clock = new TestClock("2026-11-23T23:58:00Z");
  const { payments, ask } = world({ ...TIGHT, monthly: { usd: 100 } }, clock);
  paymentOf(await ask());
  const second = ask({ session: "t" });
  expect(await isWaiting(second)).toBe(true);
  payments.setBudgets([{ ...TIGHT, daily: { usd: 0.15 }, monthly: { usd: 100 } }]);
  expect(await second).toMatchObject({ is: "reserved" });

  const third = ask({ session: "u" });
  expect(await isWaiting(third)).toBe(true);
  await clock.advance(2 * 60_000);
  expect(await third).toMatchObject({ is: "reserved" });
});

test("a reservation is settled in the window it was granted in", async () => {
  const { clock, ledger, ask } = world(TIGHT, new TestClock("2026-11-23T23:59:00Z"));
  const payment = paymentOf(await ask());
  await payment.sent();
  await clock.advance(2 * 60_000);
  await payment.end(ANSWERED);
  const midnight = Date.parse("2026-11-24T00:00:00Z");
  expect(ledger.state.sums({ endMs: midnight }).spent).toBe(50 * 2_000 + 10 * 10_000);
  expect(ledger.state.sums({ startMs: midnight }).requests).toBe(0);
});

test("an answer that was cut is charged with the max_tokens that it was sent with, not with those that were asked for", async () => {
  const { ledger, ask } = world(AMPLE);
  const payment = paymentOf(await ask({ maxOutputTokens: 3_000 }));
  await payment.sent();
  await payment.end({ ...ANSWERED, seen: { ...NOTHING_SEEN, start: [USED] } });
  expect(ledger.state.request(payment.id)).toMatchObject({ state: "unsettled", tokens: 50 + 3_000 });
  expect(ledger.state.violated).toEqual([]);
});

test("a Budget that is deleted and made anew further east goes on in the old one's day, with what was spent", async () => {
  const { clock, payments, ask } = world(TIGHT, new TestClock("2026-11-23T14:00:00Z"));
  paymentOf(await ask());
  await clock.advance(2 * 3_600_000);
  // There the next day has begun, in which nothing was spent.
  payments.setBudgets([{ ...TIGHT, uid: "another", timeZone: "Asia/Tokyo" }]);
  expect(await isWaiting(ask({ session: "t" }))).toBe(true);
});

test("after three endings without a known cost requests go one at a time, until one settles", async () => {
  const { ask, pay } = world(AMPLE);
  for (let i = 0; i < 3; i++) await pay(LOST);
  const probe = paymentOf(await ask());
  const next = ask({ session: "t" });
  const third = ask({ session: "u" });
  expect(await Promise.all([next, third].map(isWaiting))).toEqual([true, true]);
  await probe.sent();
  await probe.end(LOST);
  const second = paymentOf(await next);
  expect(await isWaiting(third)).toBe(true);
  await second.sent();
  await second.end(ANSWERED);
  expect(await third).toMatchObject({ is: "reserved" });
  expect(await ask({ session: "v" })).toMatchObject({ is: "reserved" });
});

test("after a usage above its bound nothing is granted, until a person has said what it cost", async () => {
  const { ledger, ask, pay } = world(AMPLE);
  const { id } = await pay({ ...ANSWERED, seen: { ...NOTHING_SEEN, final: [{ ...USED, output: 20_000 }] } });
  expect(await ask()).toEqual({
    is: "refused",
    reason: "BoundViolated",
    message: expect.stringMatching(`request ${id} used more than .*: bosun budget settle ${id} --cost USD`),
    budgets: [],
  });
  await ledger.append({ step: "personSettled", id, cost: 1 });
  expect(await ask()).toMatchObject({ is: "reserved" });
});

test.each([
  { waitMs: 300_000, waits: true },
  { waitMs: 300_001, waits: false },
])(
  "a request waits in line while the pause ends within five minutes: one of $waitMs ms, $waits",
  async (row) => {
    const { ask, rateLimits } = world(AMPLE);
    rateLimits.sending(PRICE.model)(529, { waitMs: row.waitMs, usedUp: undefined });
    const asked = ask();
    expect(await isWaiting(asked)).toBe(row.waits);
    if (!row.waits) expect(await asked).toMatchObject({ is: "waited" });
  },
);

test("who stands in line for a pause goes as soon as it is over, each time", async () => {
  const { ask, rateLimits, clock } = world(AMPLE);
  for (const session of ["t", "u", "v"]) {
    rateLimits.sending(PRICE.model)(529, { waitMs: 2_000, usedUp: undefined });
    const asked = ask({ session });
    await clock.advance(1_999);
    expect(await isWaiting(asked)).toBe(true);
    await clock.advance(1);
    expect(await isWaiting(asked)).toBe(false);
    const payment = paymentOf(await asked);
    await payment.sent();
    payment.answered(200, undefined);
    await payment.end(ANSWERED);
  }
});

test("who stands in line for a pause goes when it is over, though another behind waits for one that is longer", async () => {
  const { ask, rateLimits, clock } = world(AMPLE);
  const other = priceOf("claude-haiku-5-5") as Price;
  rateLimits.sending(PRICE.model)(529, { waitMs: 2_000, usedUp: undefined });
  rateLimits.sending(other.model)(529, { waitMs: 60_000, usedUp: undefined });
  const short = ask();
  const long = ask({ session: "t" }, { ...REQUEST, model: other.model }, other);
  const waiting = () => Promise.all([short, long].map(isWaiting));
  expect(await waiting()).toEqual([true, true]);
  await clock.advance(2_000);
  expect(await waiting()).toEqual([false, true]);
  await clock.advance(58_000);
  expect(await isWaiting(long)).toBe(false);
});

test("a pause longer than anyone may wait is answered at once", async () => {
  const { ask } = world(AMPLE);
  const payment = paymentOf(await ask());
  await payment.sent();
  payment.answered(529, { waitMs: 3_600_000, usedUp: undefined });
  await payment.end({
    is: "answered",
    status: 529,
    seen: { start: undefined, final: undefined, contextEdited: false },
  });
  expect(await ask()).toMatchObject({
    ...{ is: "waited", retryAfterSeconds: 3_600 },
    message: expect.stringMatching(/^claude-sonnet-5-5 is rate-limited or overloaded/),
  });
});

test("a usage limit turns away who asks and who stands in line, until it opens again and one has shown so", async () => {
  const { ask, clock } = world(AMPLE);
  const first = paymentOf(await ask());
  await first.sent();
  first.answered(529, { waitMs: 1_000, usedUp: undefined });
  const inLine = ask({ session: "w" });
  await clock.advance(1_000);
  const second = paymentOf(await inLine);
  const behind = ask({ session: "x" });
  await second.sent();
  second.answered(429, { waitMs: 3_600_000, usedUp: "account" });
  expect(await behind).toMatchObject({
    is: "used up",
    message: expect.stringContaining("UsageLimited: the usage limit of the account is reached"),
    retryAfterSeconds: 3_600,
  });
  expect(await ask({ session: "y" })).toMatchObject({ is: "used up" });
  await clock.advance(3_600_000);
  const probe = paymentOf(await ask({ session: "y" }));
  const waits = ask({ session: "z" });
  await probe.sent();
  probe.answered(200, undefined);
  expect(await waits).toMatchObject({ is: "reserved" });
});

test("a request that was to show whether a limit still holds, and was never sent, leaves that to the next", async () => {
  const { ask, clock } = world(AMPLE);
  const first = paymentOf(await ask());
  await first.sent();
  first.answered(529, { waitMs: 1_000, usedUp: undefined });
  await clock.advance(1_000);
  const probe = paymentOf(await ask({ session: "w" }));
  const behind = ask({ session: "x" });
  expect(await isWaiting(behind)).toBe(true);
  await probe.end({ is: "not sent", why: "no connection" });
  expect(await behind).toMatchObject({ is: "reserved" });
});

test("a refused request that ends late leaves the probe of the account to the request that has it by now", async () => {
  const { clock, payments, rateLimits, ask } = world(AMPLE);
  rateLimits.sending(PRICE.model)(429, { waitMs: 1_000, usedUp: "account" });
  await clock.advance(1_000);
  const refused = paymentOf(await ask());
  await refused.sent();
  refused.answered(429, { waitMs: 1_000, usedUp: undefined });
  await clock.advance(1_000);
  const probe = paymentOf(await ask({ session: "t" }));
  await refused.end({ is: "answered", status: 429, seen: NOTHING_SEEN });

  const price = priceOf("claude-haiku-5-5") as Price;
  const { signal } = new AbortController();
  const other = payments.reserve(REQUEST, { session: { ...SESSION, session: "u" }, price, signal });
  expect(await isWaiting(other)).toBe(true);
  await probe.sent();
  probe.answered(200, undefined);
  expect(await other).toMatchObject({ is: "reserved" });
});

test("what is sent asks for as many tokens as were reserved, however few the limit has left", async () => {
  const limits = fc.integer({ min: 30, max: 300 }).map((thousandths) => thousandths / 1_000);
  await fc.assert(
    fc.asyncProperty(limits, fc.integer({ min: 1, max: 30_000 }), async (usd, wanted) => {
      const { ledger, ask } = world({ ...TIGHT, daily: { usd } });
      const reserving = await ask({}, { ...REQUEST, max_tokens: wanted });
      if (reserving.is !== "reserved") return;
      const { maxTokens } = ledger.lines.find((line) => line.step === "reserved") as Reserved;
      expect(maxTokens).toBeLessThanOrEqual(wanted);
      expect(reserving.payment.request).toMatchObject({ ...REQUEST, max_tokens: maxTokens });
    }),
  );
});

test("what was paid for without caching is sent without it", async () => {
  const text = { type: "text", text: "Hi", cache_control: { type: "ephemeral" } };
  const cached = { ...REQUEST, messages: [{ role: "user", content: [text] }] };
  const sent = async (usd: number) => {
    const { request } = paymentOf(await world({ ...TIGHT, daily: { usd } }).ask({}, cached));
    return JSON.stringify(request);
  };
  expect(await sent(0.1)).toContain("cache_control");
  expect(await sent(0.043)).not.toContain("cache_control");
});

test("a model that is used up is named", async () => {
  const { ask, rateLimits } = world(AMPLE);
  rateLimits.sending(PRICE.model)(429, { waitMs: 3_600_000, usedUp: "model" });
  expect(await ask()).toMatchObject({
    is: "used up",
    message: expect.stringContaining("of claude-sonnet-5-5 is"),
  });
});

test("who leaves the line is told why, and leaves no reservation", async () => {
  const { payments, ask, ledger } = world(TIGHT);
  paymentOf(await ask());
  const leaving = new AbortController();
  const session = { ...SESSION, session: "t" };
  const left = payments.reserve(REQUEST, { session, price: PRICE, signal: leaving.signal });
  leaving.abort(new Error("It is gone."));
  await expect(left).rejects.toThrow("It is gone.");
  expect([payments.waiting, ledger.state.sums({}).requests]).toEqual([0, 1]);
});

test("all payments have ended when the last one has, and not before", async () => {
  const { payments, ask } = world(AMPLE);
  const [first, second] = [paymentOf(await ask()), paymentOf(await ask())];
  const ended = payments.ended();
  await first.end({ is: "not sent", why: "no connection" });
  expect(await isWaiting(ended)).toBe(true);
  await second.end({ is: "not sent", why: "no connection" });
  await ended;
  expect(payments.inFlight).toBe(0);
});

test("ending twice settles once", async () => {
  const { ledger, pay } = world(AMPLE);
  const payment = await pay(ANSWERED);
  await payment.end(LOST);
  await payment.end(ANSWERED);
  expect(ledger.lines.map(({ step }) => step)).toEqual(["opened", "granted", "reserved", "sent", "settled"]);
});

test("nothing is acted upon before the ledger has it on disk: no reservation, no sending and no end", async () => {
  const { ledger, ask } = world(AMPLE);
  const append = ledger.append.bind(ledger);
  let disk = Promise.withResolvers<void>();
  ledger.append = async (step) => {
    const { promise } = disk;
    await append(step);
    await promise;
  };
  const waitsForDisk = async <T>(done: Promise<T>): Promise<T> => {
    expect(await isWaiting(done)).toBe(true);
    disk.resolve();
    disk = Promise.withResolvers<void>();
    return await done;
  };
  const payment = paymentOf(await waitsForDisk(ask()));
  await waitsForDisk(payment.sent());
  await waitsForDisk(payment.end(ANSWERED));
});

test("the next request of a session is bound by what the last one used, unless its context was cleared", async () => {
  const { ledger, ask } = world(AMPLE);
  const next = { ...REQUEST, messages: [...REQUEST.messages, { role: "assistant", content: "Yes" }] };
  const bound = async (seen: object): Promise<number | undefined> => {
    const payment = paymentOf(await ask());
    await payment.sent();
    await payment.end({ ...ANSWERED, seen: { ...ANSWERED.seen, ...seen } } as Ending);
    const { id } = paymentOf(await ask({}, next));
    return ledger.state.request(id)?.bound.inputTokens;
  };
  expect(await bound({ contextEdited: true })).toBe(Buffer.byteLength(JSON.stringify(next)) + 10_000);
  expect(await bound({})).toBe(50 + Buffer.byteLength(JSON.stringify(next.messages.slice(1))) + 2_000);
});

test("what a request used bounds the next one after a restart too", async () => {
  const { ledger, pay } = world(AMPLE);
  await pay(ANSWERED);
  const again = world(AMPLE);
  for (const line of ledger.lines.slice(1))
    await again.ledger.append(JSON.parse(JSON.stringify(line).replaceAll('"r1"', '"before"')));
  const next = { ...REQUEST, messages: [...REQUEST.messages, { role: "assistant", content: "Yes" }] };
  paymentOf(await again.ask({}, next));
  const newest = [...again.ledger.state.requests()].at(-1);
  expect(newest?.bound.inputTokens).toBe(
    50 + Buffer.byteLength(JSON.stringify(next.messages.slice(1))) + 2_000,
  );
});

test("a reservation names its grant, whose amount is in the ledger, again when it changes", async () => {
  const { ledger, payments, pay } = world(AMPLE);
  await pay(ANSWERED);
  await pay(ANSWERED);
  payments.setBudgets([{ ...AMPLE, daily: { usd: 200 } }]);
  await pay(ANSWERED);
  const granted = ledger.lines.filter((line) => line.step === "granted");
  expect(granted.map(({ grant, limitCost }) => [grant, limitCost])).toEqual([
    ["u/2026-11-23@local", 100e9],
    ["u/2026-11-23@local", 200e9],
  ]);
  expect(ledger.lines.find((line) => line.step === "reserved")).toMatchObject({
    grants: ["u/2026-11-23@local"],
  });
});

describe("a clock that is not believed", () => {
  const DAY_MS = 86_400_000;
  /** A wall clock that can be set, beside the time that passes and that the upstream knows. */
  class SetClock extends TestClock {
    setBy = 0;
    override now(): number {
      return super.now() + this.setBy;
    }
  }
  const settable = (at: string) => {
    const clock = new SetClock(at);
    const upstream = { date: (): number | Promise<number> => clock.now() - clock.setBy };
    return { ...world(TIGHT, clock, () => upstream.date()), clock, upstream };
  };
  const windows = (ledger: MemoryLedger): string[] =>
    ledger.lines.flatMap((line) => (line.step === "granted" ? [line.window] : []));
  /** Leaves too little for another one. */
  const COSTLY: Ending = {
    is: "answered",
    status: 200,
    seen: { start: [USED], final: [{ ...USED, output: 3_900 }], contextEdited: false },
  };

  test("opens no window when it was set forward: the old one is spent, and then the reason is said", async () => {
    const { clock, ledger, ask, pay } = settable("2026-11-23T12:00:00Z");
    await pay(COSTLY);
    clock.setBy = DAY_MS;
    await pay(COSTLY);
    expect(await ask()).toMatchObject({
      is: "refused",
      reason: "ClockUnconfirmed",
      message: expect.stringMatching(
        /clock jumped by 24 h; it said 2026-11-24T12:00:00Z, the upstream said 2026-11-23T12:00:00Z.*needs about/,
      ),
    });
    expect(windows(ledger)).toEqual(["2026-11-23"]);

    clock.setBy = 0;
    await clock.advance(DAY_MS);
    expect(await ask()).toMatchObject({ is: "reserved" });
    expect(windows(ledger)).toEqual(["2026-11-23", "2026-11-24"]);
  });

  test("keeps nobody waiting while the window that money was counted in last goes on by it", async () => {
    const { ledger, ask, time } = world(AMPLE, new TestClock(), () => new Promise(() => {}));
    await ledger.append(reservation("before the restart"));
    expect(time.now().trust.is).toBe("asking");
    expect(await ask()).toMatchObject({ is: "reserved" });
  });

  test("is asked about at least once a minute, however long nobody could say what time it is, and soon at its next jump", async () => {
    let asked = 0;
    let isReachable = false;
    const { clock, time, upstream } = settable("2026-11-23T12:00:00Z");
    upstream.date = () => {
      asked += 1;
      if (isReachable) return clock.now() - clock.setBy;
      throw new Error("unreachable");
    };
    const pass = async (minutes: number): Promise<void> => {
      for (let second = 0; second < minutes * 60; second += 1) {
        time.now();
        await clock.advance(1_000);
      }
    };
    await pass(60);
    asked = 0;
    await pass(10);
    expect(asked).toBeGreaterThanOrEqual(9);
    expect(asked).toBeLessThanOrEqual(11);

    isReachable = true;
    await pass(2);
    expect(time.now().trust.is).toBe("confirmed");
    isReachable = false;
    clock.setBy = DAY_MS;
    asked = 0;
    await pass(1);
    expect(asked).toBeGreaterThanOrEqual(4);

    // Confirmed in the middle of a long pause by the clock's being set right: a jump in the rest of it is news, too.
    await pass(60);
    for (asked = 0; asked === 0; ) await pass(1 / 60);
    clock.setBy = 0;
    expect(time.now().trust.is).toBe("confirmed");
    clock.setBy = 2 * DAY_MS;
    asked = 0;
    time.now();
    expect(asked).toBe(1);
  });

  test("sets no alarm for the end of a window that is over by it: the line was looked at each millisecond", async () => {
    const { clock, ask } = settable("2026-11-23T12:00:00Z");
    paymentOf(await ask());
    clock.setBy = DAY_MS;
    const second = ask({ session: "t" });
    expect(await isWaiting(second)).toBe(true);
    const sleep = clock.sleep.bind(clock);
    let alarms = 0;
    clock.sleep = (ms, signal) => {
      alarms += 1;
      return sleep(ms, signal);
    };
    await clock.advance(10_000);
    expect(alarms).toBe(0);
    expect(await isWaiting(second)).toBe(true);
  });

  test("reopens no window when it was set back, over a restart too", async () => {
    const { clock, ledger, ask, pay } = settable("2026-12-01T00:10:00Z");
    await pay(COSTLY);
    clock.setBy = -DAY_MS;
    await pay(COSTLY);
    expect(await ask()).toMatchObject({ is: "refused", reason: "BudgetExceeded" });
    expect(windows(ledger)).toEqual(["2026-12-01"]);

    // The next process believes the same clock, as the upstream does: both are wrong, and yet nothing opens.
    const state = new LedgerState();
    for (const line of ledger.lines) state.apply(JSON.parse(JSON.stringify(line)));
    const again = world(TIGHT, new TestClock("2026-11-30T00:10:00Z"));
    Object.assign(again.ledger, { state });
    expect(await again.ask()).toMatchObject({ is: "refused", reason: "BudgetExceeded" });
  });

  test.each([
    { besides: "nothing else", more: {} },
    { besides: "a month that goes on", more: { monthly: { usd: 100 } } },
  ])(
    "after a sleep opens the new day as soon as the upstream agrees, and lets wait who asks before, with $besides",
    async ({ more }) => {
      const { clock, upstream, ledger, payments, ask, pay, time } = settable("2026-11-23T23:00:00Z");
      payments.setBudgets([{ ...TIGHT, ...more }]);
      await pay({ ...COSTLY, seen: { ...COSTLY.seen, final: [USED] } });
      // To the very first moment of the day.
      clock.setBy = 3_600_000;
      const { promise: date, resolve: answer } = Promise.withResolvers<number>();
      upstream.date = () => date;

      const early = ask();
      expect(await isWaiting(early)).toBe(true);
      expect(time.now().trust.is).toBe("asking");
      answer(clock.now());
      expect(await early).toMatchObject({ is: "reserved" });
      expect(windows(ledger).filter((name) => name !== "2026-11")).toEqual(["2026-11-23", "2026-11-24"]);
    },
  );

  test("is said to be behind where money was counted later already", async () => {
    const { clock, upstream, pay, time } = settable("2026-11-23T12:00:00Z");
    clock.setBy = DAY_MS;
    upstream.date = () => clock.now();
    time.now();
    await settled();
    await pay(COSTLY);
    expect(troubleOf(time.now())).toBeUndefined();
    clock.setBy = 0;
    time.now();
    await settled();
    expect(troubleOf(time.now())).toMatch(
      /counted at 2026-11-24T12:00:00Z already, ahead of this machine's clock/,
    );
  });

  test("lets nothing be spent when it was never confirmed, and says what it would take", async () => {
    const { upstream, ledger, ask, clock } = settable("2026-11-23T12:00:00Z");
    upstream.date = () => Date.parse("2026-11-20T12:00:00Z");
    expect(await ask()).toMatchObject({
      is: "unconfirmed",
      message: expect.stringContaining("the upstream said 2026-11-20T12:00:00Z"),
    });
    upstream.date = () => {
      throw new Error("ECONNREFUSED");
    };
    await clock.advance(60_000);
    await ask();
    expect(await ask()).toMatchObject({
      is: "unconfirmed",
      message: expect.stringContaining("can't be reached: ECONNREFUSED"),
    });
    expect(ledger.state.sums({}).requests).toBe(0);
    upstream.date = () => clock.now();
    await clock.advance(60_000);
    await ask();
    expect(await ask()).toMatchObject({ is: "reserved" });
  });
});
