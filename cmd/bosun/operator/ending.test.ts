import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Budget } from "../../../pkg/api/generated.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { DamagedFile, sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionObservation, SessionSpec } from "../../../pkg/session/sessions.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { type EndingOptions, endingOf, keepAtStop } from "./ending.ts";
import type { StopFollower } from "./follow-stop.ts";

interface Conduct {
  /** How often its session is asked to end before its turn is over. */
  turnLooks?: number;
  /** How often its session can't be asked to end, nor looked for. */
  unheard?: number;
  /** Beside its session there is one whose folder is damaged. */
  damaged?: boolean;
  /** What goes wrong, once each time. */
  fails?:
    | "the list of sessions"
    | "keeping"
    | "the branch"
    | "the list of Budgets"
    | "the gateway's account"
    | "end of the gateway";
  /** What is seen of a session that does not live. */
  gone?: SessionObservation["is"];
}

/** An operator with one session of an author, that has spent something, and what has become of them. */
function operatorWith({ turnLooks = 1, unheard = 0, damaged = false, fails, gone = "absent" }: Conduct = {}) {
  let failures = 0;
  const hear = (): void => {
    failures += 1;
    if (failures <= unheard) throw new Error("The disk is full.");
  };
  const sessions = mkdtempSync(join(tmpdir(), "bosun-ending-"));
  onTestFinished(() => rmSync(sessions, { recursive: true, force: true }));
  const claim = { kind: "Project", name: "project-1", uid: "u", number: 1 } as const;
  sessionFolder(sessions, "s").writeSpec({ purpose: "execute", agent: "agent-1", claim } as SessionSpec);
  if (fails === "the list of sessions") writeFileSync(join(sessions, "file"), "");
  const is = {
    controllers: "running",
    session: "living",
    ordered: [] as string[],
    kept: [] as string[],
    branch: "behind",
    toldUSD: undefined as number | undefined,
    gateway: "running",
    other: "begun",
    warned: [] as string[],
  };
  const failing = (what: Conduct["fails"]): void => {
    if (fails === what) throw new Error(`No ${what}.`);
  };
  const kept = Promise.withResolvers<void>();
  // Of the one that is new the gateway knows nothing.
  const budgets = ["new", "all"].map((name) => ({ metadata: { name }, spec: {} }) as Budget);
  const sums = { spent: 5e9, reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 1, unsettled: 0 };
  const account = { ...sums, window: "2026-11-23", startMs: 0, endMs: 1 };
  const options = {
    folder: { sessions: fails === "the list of sessions" ? join(sessions, "file") : sessions },
    settings: { spec: {} },
    clock: systemClock,
    logger: {
      warn(message: string) {
        is.warned.push(message);
        kept.resolve();
      },
    },
    acting: {
      async stop() {
        is.controllers = "ended";
      },
    },
    client: {
      async list() {
        failing("the list of Budgets");
        return { items: budgets };
      },
      async updateStatus(_kind: string, object: Budget) {
        is.toldUSD = object.status?.daily?.spentUSD;
        return object;
      },
    },
    namespace: "default",
    undo: [
      async () => {
        is.other = is.gateway === "ended" ? "ended" : "taken away from the gateway";
      },
    ],
    world: {
      sessions: {
        async running() {
          if (failures > 0) hear();
          const unseen = damaged ? [{ id: "damaged" }] : [];
          return is.session === "living" ? [...unseen, { id: "s", agent: "agent-1", pid: 1 }] : unseen;
        },
        async stop(id: string, how: string) {
          if (id === "damaged") throw new DamagedFile("damaged/host.json", "does not hold JSON");
          hear();
          is.ordered.push(how);
          // Controllers start again what they find ended.
          const isOver = how === "Now" || is.ordered.length > turnLooks;
          if (isOver && is.controllers === "ended") is.session = "ended";
        },
        find: async () => ({ is: is.session === "living" ? "present" : gone, why: "It is locked." }),
      },
      repository: {
        async keepWork(_claim: unknown, session: string) {
          failing("keeping");
          is.kept.push(session);
          kept.resolve();
          return { is: "present", value: "c0ffee" };
        },
        async syncTarget() {
          failing("the branch");
          is.branch = "as the queue's";
        },
      },
      gateway: {
        async account(name: string) {
          failing("the gateway's account");
          if (is.gateway === "ended") throw new Error("Nobody answers.");
          if (name === "new") return undefined;
          return { budget: name, daily: account, monthly: account, boundViolated: false };
        },
        async stop() {
          failing("end of the gateway");
          is.gateway = is.gateway === "running" ? "ended" : "ended twice";
        },
      },
    },
  } as unknown as EndingOptions;
  return { is, options, kept: kept.promise };
}

/** Passes as soon as somebody waits. */
function fastClock(): Clock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    elapsed: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
    },
  };
}

const ended = {
  controllers: "ended",
  session: "ended",
  kept: ["s"],
  branch: "as the queue's",
  toldUSD: 5,
  gateway: "ended",
  other: "ended",
  warned: [] as string[],
};

test("an operator that drains has its controllers stop before its sessions: they would start again what it ends", async () => {
  const { is, options } = operatorWith();
  await endingOf(options).drain();
  expect(is.session).toBe("ended");
});

test("an operator that drains waits for turns to end, then keeps their work, and ends its gateway last of all", async () => {
  const { is, options } = operatorWith({ turnLooks: 2 });
  const ending = endingOf(options);
  await Promise.all([ending.drain(), ending.drain()]);
  expect(is).toEqual({ ...ended, ordered: ["AfterTurn", "AfterTurn", "AfterTurn"] });
});

test("a session that ends no turn is ended by the second Ctrl-C, whose work is left in its checkout", async () => {
  const { is, options } = operatorWith({ turnLooks: Number.POSITIVE_INFINITY });
  const ending = endingOf(options);
  const drained = ending.drain();
  await expect.poll(() => is.ordered).toContain("AfterTurn");
  await ending.stop();
  await drained;
  expect(is).toEqual({ ...ended, kept: [], ordered: expect.anything() });
  expect(is.ordered.at(-1)).toBe("Now");
});

const inCheckouts = "Work is kept in its checkouts alone";
const untold = "Budgets could not be told what was spent";
test.each<{ fails: NonNullable<Conduct["fails"]>; without: object }>([
  { fails: "the list of sessions", without: { kept: [], warned: [inCheckouts] } },
  { fails: "keeping", without: { kept: [], warned: ["Work is kept in its checkout alone"] } },
  { fails: "the branch", without: { branch: "behind", warned: ["The target's branch could not follow"] } },
  { fails: "the list of Budgets", without: { toldUSD: undefined, warned: [untold] } },
  { fails: "the gateway's account", without: { toldUSD: undefined, warned: [untold] } },
])("an operator that drains does all that comes after $fails has failed, and says so", async (row) => {
  const { is, options } = operatorWith({ fails: row.fails });
  await endingOf(options).drain();
  expect(is).toEqual({ ...ended, ordered: expect.anything(), ...row.without });
});

test("an operator that drains asks a session that could not be asked again, and says so once: it hung on a full disk", async () => {
  const { is, options } = operatorWith({ unheard: 3 });
  await endingOf(options).drain();
  const warned = ["A session could not be ended, and is asked again"];
  expect(is).toEqual({ ...ended, ordered: expect.anything(), warned });
});

test("an operator whose session can't be ended at all ends without it, sooner at the second Ctrl-C, and says what to do", async () => {
  for (const isHurried of [false, true]) {
    const { is, options } = operatorWith({ unheard: Number.POSITIVE_INFINITY });
    const clock = fastClock();
    const ending = endingOf({ ...options, clock });
    const ended = isHurried ? ending.stop() : ending.drain();
    await expect(ended).rejects.toThrow(
      /^Not all sessions could be ended \(The disk is full\.\)\. .*stop --emergency/,
    );
    expect(clock.elapsed()).toBe(isHurried ? 2_000 : 30_000);
    expect(is).toMatchObject({ session: "living", gateway: "ended", other: "ended" });
  }
});

const unendedDamaged =
  /^Not all sessions could be ended \(damaged\/host\.json does not hold JSON\. Move it away to forget what it said\.\)/;
const unendedWarning = "Not all sessions could be ended";

test("an operator waits for turns to end however long one session can't be seen, and says which that is", async () => {
  const { is, options } = operatorWith({ damaged: true, turnLooks: 1_000 });
  await expect(endingOf({ ...options, clock: fastClock() }).drain()).rejects.toThrow(unendedDamaged);
  const warned = ["A session could not be ended, and is asked again", unendedWarning];
  expect(is).toEqual({ ...ended, ordered: Array(1_001).fill("AfterTurn"), warned });
});

test("an operator waits for no session of which nothing lives and whose file says nothing: it waited for 30 s at each end", async () => {
  const { is, options } = operatorWith({ damaged: true });
  is.session = "ended";
  const clock = fastClock();
  await expect(endingOf({ ...options, clock }).drain()).rejects.toThrow(unendedDamaged);
  expect(clock.elapsed()).toBe(0);
  expect(is).toEqual({ ...ended, ordered: [], warned: [unendedWarning] });
});

test("an operator whose gateway can't be ended lets go of all else, and says why: it went on holding the workspace", async () => {
  const { is, options } = operatorWith({ fails: "end of the gateway" });
  await expect(endingOf(options).drain()).rejects.toThrow("No end of the gateway.");
  expect(is).toMatchObject({ session: "ended", gateway: "running", other: "taken away from the gateway" });
});

test("the work of a session is not kept while nobody knows whether it still writes, and that is said", async () => {
  const { is, options } = operatorWith({ gone: "unknown" });
  await endingOf(options).drain();
  expect(is).toMatchObject({ kept: [], warned: ["Work is kept in its checkout alone"] });
});

/** That operator, without controllers, told of a stop by `engage`. */
function operatorUnder({ inForce, ...conduct }: { inForce: boolean } & Conduct) {
  const { is, options, kept } = operatorWith(conduct);
  is.controllers = "ended";
  let engage = () => {};
  const stop = {
    inForce: () => inForce,
    follow(engaged: () => void) {
      engage = engaged;
    },
  } as unknown as StopFollower;
  keepAtStop(stop, options);
  return { is, kept, engage: () => engage() };
}

test("an operator that starts while a stop is in force ends what still runs and keeps its work", async () => {
  const { is, kept } = operatorUnder({ inForce: true });
  await kept;
  expect(is).toMatchObject({ kept: ["s"], ordered: ["Now"], gateway: "running" });
});

test("an operator keeps at a stop the work of all sessions but one that can't be seen, and says so", async () => {
  const { is } = operatorUnder({ inForce: true, damaged: true });
  await expect.poll(() => is.kept).toEqual(["s"]);
  expect(is).toMatchObject({ session: "ended", warned: ["Not all sessions could be ended"] });
});

test("an operator ends what runs and keeps its work when a stop comes, and not before", async () => {
  const { is, kept, engage } = operatorUnder({ inForce: false });
  expect(is.ordered).toEqual([]);
  engage();
  await kept;
  expect(is).toMatchObject({ kept: ["s"], ordered: ["Now"], gateway: "running" });
});
