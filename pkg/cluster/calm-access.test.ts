import { expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { calmAccess } from "./calm-access.ts";

test("an exec plugin that fails is run every five seconds, not for each request", async () => {
  const clock = new TestClock();
  let runs = 0;
  let isBroken = true;
  const plugin = {
    server: "https://server",
    options: async () => {
      runs += 1;
      if (isBroken) throw new Error("log in first");
      return { headers: {} };
    },
    renew() {},
    close() {},
  };
  const access = calmAccess(plugin, clock);
  for (let requests = 0; requests < 10; requests += 1)
    await expect(access.options()).rejects.toThrow("log in first");
  await Promise.allSettled(Array.from({ length: 10 }, () => access.options()));
  expect(runs).toBe(1);

  isBroken = false;
  await clock.advance(5_000);
  await Promise.all(Array.from({ length: 10 }, () => access.options()));
  expect(runs).toBe(2);
});

test("credentials that are refused are renewed every five seconds, not for each request", async () => {
  const clock = new TestClock();
  let renewals = 0;
  const access = calmAccess(
    {
      server: "https://server",
      options: async () => ({ headers: {} }),
      renew() {
        renewals += 1;
      },
      close() {},
    },
    clock,
  );
  for (let refusals = 0; refusals < 10; refusals += 1) access.renew();
  expect(renewals).toBe(1);
  await clock.advance(5_000);
  access.renew();
  expect(renewals).toBe(2);
});
