import { expect, onTestFinished, test } from "vitest";
import { registryClient } from "../../../pkg/registry/client.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { timestamp } from "../../../pkg/runtime/clock.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { openRegistry } from "../testing/operator.ts";
import { pruneEvents } from "./events.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Follows Events, all made just now, that say when they were last seen each in its own way. */
async function prunedFrom(begin: (client: Client) => Client = (client) => client) {
  const registry = await openRegistry();
  const startMs = Date.now();
  const clock = new TestClock(timestamp(startMs));
  const client = registryClient(registry, "bosun");
  const seen = (minutes: number) => timestamp(startMs + minutes * minuteMs);
  const seenExactly = (minutes: number) =>
    new Date(startMs + minutes * minuteMs).toISOString().replace("Z", "000Z");
  const events: Record<string, object> = {
    old: { firstTimestamp: seen(-3000), lastTimestamp: seen(-1441), count: 2 },
    repeated: { firstTimestamp: seen(-3000), lastTimestamp: seen(-1400), count: 2 },
    undated: {},
    series: {
      ...{
        eventTime: seenExactly(-3000),
        reportingComponent: "a.dev/b",
        reportingInstance: "b",
        action: "Look",
      },
      series: { count: 2, lastObservedTime: seenExactly(1000) },
    },
  };
  for (const [name, times] of Object.entries(events))
    await registry.create("events", "default", {
      ...{ apiVersion: "v1", kind: "Event", metadata: { name }, reason: "Told", message: "It is so." },
      ...{ type: "Normal", involvedObject: { kind: "Project", namespace: "default", name: "p" }, ...times },
    });
  const ending = pruneEvents(begin(client), clock, silentLogger);
  onTestFinished(() => ending.abort());
  const left = async (): Promise<string[]> =>
    (await client.list("Event")).items.map(({ metadata }) => metadata.name).sort();
  return { clock, ending, left };
}

test("an Event goes a day after it was last seen, however often and since when it had been", async () => {
  const { clock, ending, left } = await prunedFrom();
  await clock.advance(0);
  expect(await left()).toEqual(["repeated", "series", "undated"]);
  await clock.advance(50 * minuteMs);
  expect(await left()).toEqual(["series", "undated"]);
  await clock.advance(dayMs - 40 * minuteMs);
  expect(await left()).toEqual(["series"]);
  ending.abort();
  await clock.advance(2 * dayMs);
  expect(await left()).toEqual(["series"]);
});

test("Events that can't be looked at are looked at again ten minutes later", async () => {
  let looks = 0;
  const { clock, left } = await prunedFrom((client) => ({
    ...client,
    list: (kind, options) =>
      ++looks === 1 ? Promise.reject(new Error("Not now.")) : client.list(kind, options),
  }));
  await clock.advance(9 * minuteMs);
  expect(await left()).toEqual(["old", "repeated", "series", "undated"]);
  await clock.advance(minuteMs);
  expect(await left()).toEqual(["repeated", "series", "undated"]);
});
