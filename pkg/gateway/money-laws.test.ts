/**
 * The laws of money, held against random histories: sessions of several teams spend under several Budgets while clocks are
 * set, zones, limits and selectors change, and the process is killed. What holds is computed here anew from the lines
 * alone, by other code than the gateway's.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { boundsOf } from "./bound.ts";
import { endingSteps } from "./ending.ts";
import type { Granted, Line, Reserved, Step } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";
import type { MessagesRequest } from "./messages-request.ts";
import type { BudgetPolicy, SessionGrant, WindowLimit } from "./money.ts";
import { type Price, priceOf } from "./prices.ts";
import { plan, reservationSteps, UNSETTLED_IN_ROW_MAX } from "./reservation.ts";
import type { Ending } from "./settlement.ts";
import { momentOf, TrustedTime } from "./trusted-time.ts";
import type { Usage } from "./usage.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const HOUR = 3_600_000;
/** The night before summer time ends in Berlin, a week before a month does. */
const START = Date.parse("2026-10-24T20:00:00Z");
const TEAMS = ["red", "blue", "green"] as const;
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata"] as const;
const BUDGETS: readonly BudgetPolicy[] = [
  {
    name: "all",
    uid: "a",
    daily: { usd: 0.4, tokens: 60_000 },
    monthly: { usd: 1.2 },
    timeZone: "Europe/Berlin",
    selector: {},
  },
  { name: "red", uid: "r", daily: { usd: 0.25 }, timeZone: "America/New_York", selector: { team: "red" } },
  { name: "blue", uid: "b", monthly: { tokens: 70_000 }, timeZone: "UTC", selector: { team: "blue" } },
];

const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const usd = fc.integer({ min: 0, max: 60 }).map((cents) => cents / 100);
const ask = fc.record({
  do: fc.constant("ask" as const),
  team: fc.constantFrom(...TEAMS),
  maxTokens: fc.integer({ min: 1, max: 40_000 }),
  bytes: fc.integer({ min: 0, max: 20_000 }),
  caches: fc.boolean(),
});
const happening = fc.oneof(
  { weight: 6, arbitrary: ask },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which: fc.nat(20),
      how: fc.constantFrom("used", "used", "used", "lost", "cut", "refused", "not sent"),
      input: share,
      output: share,
    }),
  },
  fc.record({
    do: fc.constant("violate" as const),
    which: fc.nat(20),
    // Read from a cache the tokens alone are too many, written to one the dollars too.
    from: fc.constantFrom("cacheRead", "cacheWrite1h"),
  }),
  fc.record({ do: fc.constant("person settles" as const), which: fc.nat(20), share }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("pass" as const), hours: fc.integer({ min: 0, max: 30 }) }),
  },
  fc.record({ do: fc.constant("sleep" as const), hours: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ do: fc.constant("set the clock" as const), hours: fc.integer({ min: -800, max: 800 }) }),
  fc.record({ do: fc.constant("set the clock right" as const) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("hear" as const) }) },
  fc.record({ do: fc.constant("hear a liar" as const) }),
  fc.record({
    do: fc.constant("restart" as const),
    foldedAt: fc.array(share, { maxLength: 2 }),
    keep: fc.nat(3),
  }),
  fc.record({ do: fc.constant("zone" as const), budget: fc.nat(2), zone: fc.constantFrom(...ZONES) }),
  fc.record({ do: fc.constant("limit" as const), budget: fc.nat(2), daily: usd, monthly: usd }),
  fc.record({
    do: fc.constant("select" as const),
    budget: fc.nat(2),
    team: fc.constantFrom(...TEAMS, undefined),
  }),
  fc.record({ do: fc.constant("create anew" as const), budget: fc.nat(2) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A gateway without its process: the same decisions over the same lines, and a clock that others set. */
class World {
  lines: Line[] = [];
  state = new LedgerState();
  budgets: BudgetPolicy[] = structuredClone(BUDGETS) as BudgetPolicy[];
  time = new TrustedTime();
  trueMs = START;
  elapsedMs = 0;
  setMs = 0;
  ids = 0;
  /** An upstream has agreed with a clock that was wrong. */
  wasLiedTo = false;
  readonly requests = new Map<string, MessagesRequest>();

  constructor() {
    this.append({ step: "opened", ledger: "l", version: 1 });
    this.hear();
  }

  get wallMs(): number {
    return this.trueMs + this.setMs;
  }

  append(step: Step): void {
    const line: Line = { seq: this.lines.length + 1, at: this.wallMs, ...step };
    this.state.apply(line);
    // As a file gives it back.
    this.lines.push(JSON.parse(JSON.stringify(line)));
  }

  hear(): void {
    this.time.heard(this.trueMs, { wallMs: this.wallMs, elapsedMs: this.elapsedMs });
  }

  /** An upstream that has its time from this very machine. */
  hearLiar(): void {
    this.wasLiedTo ||= Math.abs(this.setMs) > 300_000;
    this.time.heard(this.wallMs, { wallMs: this.wallMs, elapsedMs: this.elapsedMs });
  }

  /** The ids in one of `states`, as the lines say. */
  idsIn(...states: string[]): string[] {
    const found = new Map<string, string>();
    for (const line of this.lines)
      if ("id" in line) found.set(line.id, line.step === "violated" ? "" : line.step);
    return [...found].filter(([, state]) => states.includes(state)).map(([id]) => id);
  }

  /**
   * A process that was killed, perhaps within its last step: the lines are read again, from checkpoints that were made after
   * some shares of them, and what was under way is ended.
   */
  restart({ foldedAt, keep }: Extract<Happening, { do: "restart" }>): void {
    const before = this.state;
    if (this.lines.at(-1)?.step === "violated") this.lines.pop();
    this.state = new LedgerState();
    for (const line of this.lines) this.state.apply(line);
    const whole = this.state;
    const known = [...whole.requests()].filter(({ id }) => before.request(id) !== undefined);
    expect(known).toEqual([...before.requests()]);
    this.state = new LedgerState();
    const checkpoints = foldedAt.map((at) => Math.floor(at * this.lines.length));
    for (const line of this.lines) {
      // A person settled what was one by one when they were asked.
      if (line.step === "personSettled" && this.state.request(line.id) === undefined) {
        this.state = whole;
        break;
      }
      this.state.apply(line);
      if (!checkpoints.includes(line.seq)) continue;
      this.state.fold(keep);
      this.state = LedgerState.fromJson(JSON.parse(JSON.stringify(this.state.asJson())));
    }
    expect(whole.violated).toEqual(before.violated);
    expect(standingOf(this.state)).toEqual(standingOf(whole));
    for (const id of this.idsIn("reserved")) this.append({ step: "released", id, why: "killed" });
    for (const id of this.idsIn("sent")) {
      const { cost, tokens } = this.reservation(id);
      this.append({ step: "unsettled", id, why: "killed", cost, tokens });
    }
    this.time = new TrustedTime();
    this.elapsedMs = 0;
  }

  reservation(id: string): Reserved {
    return this.lines.find((line) => line.step === "reserved" && line.id === id) as Reserved;
  }

  ask({ team, maxTokens, bytes, caches }: Extract<Happening, { do: "ask" }>): void {
    const text = {
      type: "text",
      text: "x".repeat(bytes),
      ...(caches ? { cache_control: { type: "ephemeral" } } : {}),
    };
    const request: MessagesRequest = {
      model: "claude-sonnet-5-5",
      max_tokens: maxTokens,
      messages: [{ role: "user", content: [text] }],
    };
    const session = sessionOf(team);
    const look = { wallMs: this.wallMs, elapsedMs: this.elapsedMs };
    const trust = this.time.trust(look);
    const ms = momentOf(trust, look.wallMs, this.state.newestMs);
    const bases = this.state.bases(session.session);
    const bounds = boundsOf(request, { price: PRICE, bases, maxOutputTokens: 16_000 });
    const inFlight = this.idsIn("reserved", "sent").length;
    const planned = plan(this.state, {
      bounds,
      session,
      budgets: this.budgets,
      moment: { ms, wallMs: look.wallMs, trust },
      inFlight,
    });
    if (planned.is !== "granted") return;
    const id = `r${++this.ids}`;
    const { model } = request;
    for (const step of reservationSteps(this.state, planned, { id, session, model, price: PRICE }))
      this.append(step);
    this.requests.set(id, request);
    this.checkGrant(id);
  }

  /** What must hold of a reservation that was just made. Nothing here asks the state, the windows or the grants. */
  checkGrant(id: string): void {
    const reserved = this.reservation(id);
    expect(violatedOf(this.lines)).toEqual([]);
    if (trailingUnsettled(this.lines) >= UNSETTLED_IN_ROW_MAX)
      expect(this.idsIn("reserved", "sent")).toEqual([id]);
    if (!this.wasLiedTo) expect(reserved.at).toBeLessThanOrEqual(this.trueMs + 300_000);

    const limits = this.budgets
      .filter(({ selector }) => selector.team === undefined || selector.team === reserved.labels.team)
      .flatMap((budget) =>
        (["daily", "monthly"] as const).map((period) => ({ budget, period, limit: budget[period] })),
      )
      .filter((one): one is typeof one & { limit: WindowLimit } => one.limit !== undefined);
    expect(limits.length).toBeGreaterThan(0);
    const named = reserved.grants.map(
      (grant) => this.lines.findLast((line) => line.step === "granted" && line.grant === grant) as Granted,
    );
    expect(named.map(({ uid, period }) => `${uid} ${period}`)).toEqual(
      limits.map(({ budget, period }) => `${budget.uid} ${period}`),
    );
    for (const [i, { limit }] of limits.entries()) {
      const granted = named[i] as Granted;
      const { startMs, endMs, selector } = granted;
      expect(granted.limitCost).toBe(limit.usd === undefined ? null : Math.round(limit.usd * 1e9));
      expect(granted.limitTokens).toBe(limit.tokens ?? null);
      expect(reserved.at).toBeGreaterThanOrEqual(startMs);
      expect(reserved.at).toBeLessThan(endMs);
      const used = usedOf(this.lines, ({ at, labels }) => {
        const selected = selector.team === undefined || labels.team === selector.team;
        return selected && at >= startMs && at < endMs;
      });
      expect(used.cost).toBeLessThanOrEqual(limit.usd === undefined ? Infinity : Math.round(limit.usd * 1e9));
      expect(used.tokens).toBeLessThanOrEqual(limit.tokens ?? Infinity);
    }
  }
}

test("no history takes spent and reserved over a limit, opens a window again or goes on after a violation", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 70, size: "max" }), (happenings) => {
      const world = new World();
      for (const event of happenings) happen(world, event);
      checkWindows(world.lines);
      checkSums(world);
    }),
    { numRuns: 400 },
  );
});

function happen(world: World, event: Happening): void {
  const pick = (ids: readonly string[]): string | undefined =>
    "which" in event ? ids[event.which % Math.max(1, ids.length)] : undefined;
  const budget = "budget" in event ? world.budgets[event.budget] : undefined;
  const change = (to: Partial<BudgetPolicy>): void => {
    if (budget !== undefined) world.budgets[world.budgets.indexOf(budget)] = { ...budget, ...to };
  };
  switch (event.do) {
    case "ask":
      world.ask(event);
      break;
    case "send": {
      const id = pick(world.idsIn("reserved"));
      if (id !== undefined) world.append({ step: "sent", id });
      break;
    }
    case "end": {
      const id = pick(world.idsIn(event.how === "not sent" ? "reserved" : "sent"));
      if (id !== undefined) end(world, id, endingOf(event, world.reservation(id)));
      break;
    }
    case "violate": {
      const id = pick(world.idsIn("sent"));
      if (id === undefined) break;
      const { inputTokens, maxTokens } = world.reservation(id);
      const used = { ...NOTHING, [event.from]: inputTokens, output: maxTokens + 1 };
      end(world, id, answered({ final: [used] }));
      break;
    }
    case "person settles": {
      const id = pick(
        world.idsIn("settled", "unsettled", "").filter((one) => world.state.request(one) !== undefined),
      );
      if (id === undefined) break;
      const cost = Math.floor(event.share * world.reservation(id).cost);
      world.append({ step: "personSettled", id, cost });
      break;
    }
    case "pass":
      world.trueMs += event.hours * HOUR;
      world.elapsedMs += event.hours * HOUR;
      break;
    case "sleep":
      world.trueMs += event.hours * HOUR;
      break;
    case "set the clock":
      world.setMs = event.hours * HOUR;
      break;
    case "set the clock right":
      world.setMs = 0;
      break;
    case "hear":
      world.hear();
      break;
    case "hear a liar":
      world.hearLiar();
      break;
    case "restart":
      world.restart(event);
      break;
    case "zone":
      change({ timeZone: event.zone });
      break;
    case "limit":
      change({ daily: { usd: event.daily }, monthly: { ...budget?.monthly, usd: event.monthly } });
      break;
    case "select":
      change({ selector: event.team === undefined ? {} : { team: event.team } });
      break;
    case "create anew":
      change({ uid: `${budget?.uid}'` });
      break;
  }
}

/** All that one by one is no matter of. */
function standingOf(state: LedgerState): object {
  const { seq, at, ledger, newestMs, violated, corrections, unsettledInRow } = state;
  const grants = [...state.grants()];
  const sums = [
    ...grants.map(({ selector, startMs, endMs }) => state.sums({ selector, startMs, endMs })),
    ...TEAMS.map((project) => state.sums({ project })),
  ];
  const newest = BUDGETS.map((budget) => state.newestWindow(budget, "daily"));
  const bases = TEAMS.map((team) => state.bases(team));
  return { seq, at, ledger, newestMs, violated, corrections, unsettledInRow, grants, sums, newest, bases };
}

function end(world: World, id: string, ending: Ending): void {
  const { cost, tokens, maxTokens, price } = world.reservation(id);
  const request = world.requests.get(id) as MessagesRequest;
  const reservation = { cost, tokens, maxTokens, price };
  for (const step of endingSteps(id, { request, ending, reservation })) world.append(step);
}

const NOTHING: Usage = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };

/** How `event` ends a request: with any usage up to its bound, or without one. */
function endingOf(
  { how, input, output }: Extract<Happening, { do: "end" }>,
  { inputTokens, maxTokens, cost }: Reserved,
): Ending {
  const prompt = Math.floor(inputTokens * input);
  const caches = cost > inputTokens * 2_000 + maxTokens * 10_000;
  const used = {
    ...NOTHING,
    [caches ? "cacheWrite5m" : "input"]: prompt,
    output: Math.floor(maxTokens * output),
  };
  switch (how) {
    case "used":
      return answered({ start: [used], final: [used] });
    case "cut":
      return answered({ start: [{ ...used, output: 1 }] });
    case "refused":
      return { ...answered({}), status: 529 };
    case "not sent":
      return { is: "not sent", why: "no connection" };
    default:
      return { is: "no status", why: "reset" };
  }
}

function answered(seen: { start?: readonly Usage[]; final?: readonly Usage[] }): Ending & { is: "answered" } {
  const { start, final } = seen;
  return { is: "answered", status: 200, seen: { start, final, contextEdited: false } };
}

function sessionOf(team: string): SessionGrant {
  const purpose = "execute";
  const who = { session: team, run: 1, agent: `agent-${team}`, pool: "p", project: team, purpose } as const;
  return { ...who, maxOutputTokens: 16_000, labels: { team } };
}

/** What the requests that `belongs` takes are charged with, read from the lines alone. */
function usedOf(
  lines: readonly Line[],
  belongs: (reserved: Reserved) => boolean,
): { cost: number; tokens: number } {
  const charges = new Map<string, { cost: number; tokens: number }>();
  for (const line of lines) {
    if (line.step === "reserved" && belongs(line))
      charges.set(line.id, { cost: line.cost, tokens: line.tokens });
    if (!("id" in line) || !charges.has(line.id)) continue;
    const { tokens = 0 } = charges.get(line.id) ?? {};
    if (line.step === "settled" || line.step === "unsettled")
      charges.set(line.id, { cost: line.cost, tokens: line.tokens });
    if (line.step === "released") charges.delete(line.id);
    if (line.step === "personSettled") charges.set(line.id, { cost: line.cost, tokens });
  }
  const all = [...charges.values()];
  return { cost: total(all.map(({ cost }) => cost)), tokens: total(all.map(({ tokens }) => tokens)) };
}

/** Requests whose usage was above their bound and that no person has settled since. */
function violatedOf(lines: readonly Line[]): string[] {
  const bounds = new Map<string, Reserved>();
  const violated = new Set<string>();
  for (const line of lines) {
    if (line.step === "reserved") bounds.set(line.id, line);
    if (line.step === "personSettled") violated.delete(line.id);
    if (line.step !== "settled" && line.step !== "unsettled") continue;
    const { cost = 0, tokens = 0 } = bounds.get(line.id) ?? {};
    if (line.cost > cost || line.tokens > tokens) violated.add(line.id);
  }
  return [...violated];
}

/** Of the requests that ended by a settlement, how many of the newest have no known cost. */
function trailingUnsettled(lines: readonly Line[]): number {
  const endings = lines
    .filter(({ step }) => step === "settled" || step === "unsettled")
    .map(({ step }) => step);
  return endings.length - 1 - endings.lastIndexOf("settled");
}

/** Windows of a Budget, by its name, come in order and none comes again; the names are those of the calendar. */
function checkWindows(lines: readonly Line[]): void {
  const newest = new Map<string, Granted>();
  let at = 0;
  for (const line of lines) {
    if (line.step === "reserved") {
      expect(line.at).toBeGreaterThanOrEqual(at);
      at = line.at;
    }
    if (line.step !== "granted") continue;
    const key = `${line.budget} ${line.period}`;
    const before = newest.get(key);
    newest.set(key, line);
    if (before === undefined || before.window === line.window) continue;
    expect(line.window > before.window).toBe(true);
    expect(line.at).toBeGreaterThanOrEqual(before.endMs);
    const names = ZONES.map((timeZone) => new Intl.DateTimeFormat("sv", { timeZone }).format(line.at));
    expect(names.some((name) => name.startsWith(line.window))).toBe(true);
  }
}

/** What the state has added up step by step is what the lines say. */
function checkSums({ state, lines }: World): void {
  const windows = lines.filter((line) => line.step === "granted");
  for (const { startMs, endMs, selector } of windows) {
    const used = usedOf(lines, ({ at, labels }) => {
      const selected = selector.team === undefined || labels.team === selector.team;
      return selected && at >= startMs && at < endMs;
    });
    const { spent, reserved, spentTokens, reservedTokens } = state.sums({ selector, startMs, endMs });
    expect([spent + reserved, spentTokens + reservedTokens]).toEqual([used.cost, used.tokens]);
  }
  for (const team of TEAMS) {
    const { spent, reserved } = state.sums({ project: team });
    expect(spent + reserved).toBe(usedOf(lines, ({ project }) => project === team).cost);
  }
  expect([...state.violated].sort()).toEqual(violatedOf(lines).sort());
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);
