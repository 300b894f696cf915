import { onTestFinished } from "vitest";
import { Informer } from "../informer.ts";
import { silentLogger } from "../logger.ts";
import { settled, TestClock } from "./clock.ts";
import type { FakeApi } from "./fake-api.ts";

/** An informer of the API's Agents that runs until the test ends or stops it, and what its listeners were told. */
export async function followed(api: FakeApi) {
  const clock = new TestClock();
  const random = { next: () => 0.5 };
  const informer = new Informer({ kind: "Agent", client: api.client, clock, random, logger: silentLogger });
  const told: string[] = [];
  informer.onDelta(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
  const stopping = new AbortController();
  void informer.run(stopping.signal);
  onTestFinished(() => stopping.abort());
  await settled();
  return { informer, clock, told, stopping };
}
