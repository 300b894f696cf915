import { expect, test } from "vitest";
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
    onLost: () => told.push("lost"),
    onHeld: () => told.push("held"),
  });
  await settled();
  const { right, held } = await first;
  isSilent = true;
  await clock.advance(20_000);
  // Nobody has asked for the right again yet: the controllers have not stopped.
  expect(told).toEqual(["lost"]);
  expect([held(), right.lost.aborted]).toEqual([false, true]);

  isSilent = false;
  const regained = right.regain(new AbortController().signal);
  await clock.advance(20_000);
  await regained;
  expect(told).toEqual(["lost", "held"]);
});
