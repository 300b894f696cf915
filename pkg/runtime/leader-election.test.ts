import { expect, test } from "vitest";
import { StatusError } from "../api/status-error.ts";
import { elect, electionTimes, type Leadership, type Lease, type LeaseStore } from "./leader-election.ts";
import { silentLogger } from "./logger.ts";
import { settled, TestClock } from "./testing/clock.ts";

const { leaseMs, renewDeadlineMs } = electionTimes;

/** A Lease in memory behind an API that may be cut off for each who takes part. */
class Server {
  lease: Lease | undefined;
  #revision = 0;
  readonly unreachable = new Set<string>();
  /** What answers wait for. By then it was looked, and what is written is written. */
  readonly answers: { toReads?: Promise<void>; toWrites?: Promise<void> } = {};

  storeOf(who: string): LeaseStore {
    const reach = (): void => {
      if (this.unreachable.has(who)) throw new StatusError(503, "ServiceUnavailable", "cut off");
    };
    return {
      read: async () => {
        reach();
        const { lease } = this;
        await this.answers.toReads;
        return lease;
      },
      write: async (lease) => {
        reach();
        if (lease.resourceVersion !== this.lease?.resourceVersion)
          throw new StatusError(409, "Conflict", "the object has been modified");
        this.#revision += 1;
        const written = { spec: lease.spec, resourceVersion: String(this.#revision) };
        this.lease = written;
        await this.answers.toWrites;
        return written;
      },
    };
  }
}

async function candidate(server: Server, identity: string, clock: TestClock) {
  const waited: string[] = [];
  const stop = new AbortController();
  let leadership: Leadership | undefined;
  const options = { store: server.storeOf(identity), identity, clock, random: { next: () => 0 } };
  void elect(
    { ...options, logger: silentLogger, waitingFor: (holder) => waited.push(holder) },
    stop.signal,
  ).then((won) => {
    leadership = won;
  });
  await settled();
  return {
    waited,
    get leads(): boolean {
      return leadership?.held() === true;
    },
    get isLost(): boolean {
      return leadership?.lost.aborted === true;
    },
    release: () => leadership?.release(),
  };
}

test("the first takes the Lease, and the second says whom it waits for", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  const second = await candidate(server, "second", clock);
  await clock.advance(60_000);
  expect([first.leads, second.leads]).toEqual([true, false]);
  expect(second.waited).toEqual(["first"]);
  expect(server.lease?.spec).toMatchObject({
    holderIdentity: "first",
    leaseDurationSeconds: 15,
    leaseTransitions: 0,
  });
});

test("one that is cut off stops acting before another may take over", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  const second = await candidate(server, "second", clock);
  await clock.advance(20_000);
  server.unreachable.add("first");
  let stoppedAtMs = 0;
  let tookOverAtMs = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    await clock.advance(100);
    expect([first.leads, second.leads]).not.toEqual([true, true]);
    if (!first.leads && stoppedAtMs === 0) stoppedAtMs = ms;
    if (second.leads && tookOverAtMs === 0) tookOverAtMs = ms;
  }
  expect(first.isLost).toBe(true);
  expect(stoppedAtMs).toBeLessThanOrEqual(renewDeadlineMs);
  expect(tookOverAtMs - stoppedAtMs).toBeGreaterThanOrEqual(leaseMs - renewDeadlineMs - 2_500);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: "second", leaseTransitions: 1 });
});

test("times that are written into a Lease count for nothing", async () => {
  const clock = new TestClock();
  const server = new Server();
  const long = "2001-01-01T00:00:00.000000Z";
  const spec = { holderIdentity: "other", leaseDurationSeconds: 15, renewTime: long, acquireTime: long };
  server.lease = { resourceVersion: "1", spec };
  const one = await candidate(server, "one", clock);
  await clock.advance(leaseMs - 1_000);
  expect(one.leads).toBe(false);
  await clock.advance(3_000);
  expect(one.leads).toBe(true);
});

test("a short break is survived", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  server.unreachable.add("first");
  await clock.advance(6_000);
  server.unreachable.delete("first");
  await clock.advance(60_000);
  expect([first.leads, first.isLost]).toEqual([true, false]);
});

test("a Lease that another has taken is lost at the next look", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  await server.storeOf("second").write({ ...server.lease, spec: { holderIdentity: "second" } });
  await clock.advance(2_500);
  expect([first.leads, first.isLost]).toEqual([false, true]);
  await first.release();
  expect(server.lease?.spec.holderIdentity).toBe("second");
});

test("a Lease is lost where the server takes each question and answers none", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  server.answers.toReads = new Promise(() => undefined);
  await clock.advance(2 * renewDeadlineMs);
  expect([first.leads, first.isLost]).toEqual([false, true]);
});

test("a Lease that is given back while it is being renewed is free", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.answers.toWrites = promise;
  await clock.advance(2_500);
  const released = first.release();
  resolve();
  await released;
  expect(server.lease?.spec.holderIdentity).toBe("");
});

test("who gives a Lease back, and finds it another's, leaves it alone", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await server.storeOf("second").write({ ...server.lease, spec: { holderIdentity: "second" } });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.answers.toReads = promise;
  await clock.advance(2_500);
  const released = first.release();
  resolve();
  await released;
  expect(server.lease?.spec.holderIdentity).toBe("second");
});

test("a machine that slept holds nothing when it wakes", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  // A machine's sleep moves the wall clock alone.
  const now = clock.now.bind(clock);
  clock.now = () => now() + 3_600_000;
  expect(first.leads).toBe(false);
});

test("a wall clock that is set back makes nobody's term longer", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  const now = clock.now.bind(clock);
  clock.now = () => now() - 3_600_000;
  server.unreachable.add("first");
  await clock.advance(renewDeadlineMs);
  expect(first.leads).toBe(false);
});

test.each([
  { meanwhile: "nobody asked for the Lease", held: {} },
  {
    meanwhile: "another held the Lease and gave it back",
    held: { lease: { resourceVersion: "other", spec: { holderIdentity: "", leaseTransitions: 2 } } },
  },
])("who was suspended while $meanwhile has lost it", async ({ held }) => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  // The process sleeps, and its timers fire late.
  const { elapsed, now } = clock;
  clock.elapsed = () => elapsed.call(clock) + 40_000;
  clock.now = () => now.call(clock) + 40_000;
  Object.assign(server, held);
  const left = server.lease;
  await clock.advance(5_000);
  expect([first.leads, first.isLost]).toEqual([false, true]);
  expect(server.lease).toBe(left);
});

test("a Lease that another held between two renewals is lost, though it is free again", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  server.lease = { resourceVersion: "other", spec: { holderIdentity: "", leaseTransitions: 2 } };
  await clock.advance(3_000);
  expect([first.leads, first.isLost]).toEqual([false, true]);
  expect(server.lease?.resourceVersion).toBe("other");
});

test("who was answered too late to act is elected by the next answer", async () => {
  const clock = new TestClock();
  const server = new Server();
  const late = Promise.withResolvers<void>();
  server.answers.toReads = late.promise;
  const first = await candidate(server, "first", clock);
  await clock.advance(60_000);
  late.resolve();
  delete server.answers.toReads;
  await settled();
  expect([first.leads, first.isLost]).toEqual([false, false]);
  await clock.advance(3_000);
  expect([first.leads, first.isLost]).toEqual([true, false]);
});

test("a Lease that somebody removed is made again by who held it", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  await clock.advance(5_000);
  server.lease = undefined;
  await clock.advance(20_000);
  expect([first.leads, first.isLost]).toEqual([true, false]);
  expect(server.lease).toMatchObject({ spec: { holderIdentity: "first" } });
});

test("a Lease that is given back is taken at once", async () => {
  const clock = new TestClock();
  const server = new Server();
  const first = await candidate(server, "first", clock);
  const second = await candidate(server, "second", clock);
  await clock.advance(5_000);
  await first.release();
  expect(first.leads).toBe(false);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
  await clock.advance(2_500);
  expect(second.leads).toBe(true);
});
