import { expect, test } from "vitest";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Lease, LeaseStore } from "../../../pkg/runtime/leader-election.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { settled, TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { elected } from "./elected.ts";

test("a Lease is told lost when it is, also while controllers wait for a server that is silent", async () => {
  const clock = new TestClock();
  let lease: Lease | undefined;
  let isSilent = false;
  const store: LeaseStore = {
    read: async () => (isSilent ? await new Promise<never>(() => {}) : lease),
    write: async ({ spec }) => {
      lease = { spec, resourceVersion: "1" };
      return lease;
    },
  };
  const told: string[] = [];
  const first = elected({
    election: {
      store,
      identity: "first",
      clock,
      random: { next: () => 0 },
      logger: silentLogger,
      waitingFor: () => told.push("waiting"),
    },
    signal: new AbortController().signal,
    onLost: (why) => told.push(`lost: ${why}`),
    onHeld: () => told.push("held"),
  });
  await settled();
  const { right, held } = await first;
  isSilent = true;
  await clock.advance(20_000);
  // Nobody has asked for the right again yet: the controllers have not stopped.
  const lost = "lost: it could not be renewed for 10 s: there was no answer, or this machine slept";
  expect(told).toEqual([lost]);
  expect([held(), right.lost.aborted]).toEqual([false, true]);

  isSilent = false;
  const regained = right.regain(new AbortController().signal);
  await settled();
  await clock.advance(20_000);
  await regained;
  expect(told).toEqual([lost, "held"]);
  await (await first).release();
  expect([held(), lease?.spec.holderIdentity || "nobody"]).toEqual([false, "nobody"]);
});

test("a person is told why a Lease can't be asked for: nothing else shows what an operator waits for", async () => {
  const clock = new TestClock();
  const spec = { holderIdentity: "other", leaseDurationSeconds: 15 };
  let isForbidden = true;
  let isOther = false;
  let lease: Lease | undefined;
  const store: LeaseStore = {
    async read() {
      if (isForbidden) throw new StatusError(403, "Forbidden", "leases is forbidden");
      return isOther ? { spec, resourceVersion: "9" } : lease;
    },
    async write({ spec }) {
      lease = { spec, resourceVersion: "1" };
      return lease;
    },
  };
  const told: string[] = [];
  const first = elected({
    election: {
      store,
      identity: "first",
      clock,
      random: { next: () => 0 },
      logger: silentLogger,
      waitingFor: (holder) => told.push(`waiting for ${holder}`),
      hindered: (error) => told.push(`hindered: ${error instanceof Error ? error.message : ""}`),
    },
    signal: new AbortController().signal,
    onLost: (why) => told.push(`lost: ${why}`),
    onHeld: () => told.push("held"),
  });
  await clock.advance(20_000);
  expect(told.splice(0)).toEqual(["hindered: leases is forbidden"]);

  isForbidden = false;
  await clock.advance(2_000);
  const { right } = await first;
  isForbidden = true;
  await clock.advance(12_000);
  expect(told.splice(0)).toEqual(["lost: it could not be renewed for 10 s: leases is forbidden"]);

  const regained = right.regain(new AbortController().signal);
  await clock.advance(4_000);
  isForbidden = false;
  await clock.advance(2_000);
  await regained;
  isOther = true;
  await clock.advance(4_000);
  expect(told).toEqual(["held", "lost: other holds it now"]);
});
