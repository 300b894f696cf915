import { expect, test } from "vitest";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { settled, TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { followObjects } from "./follow-objects.ts";

test("what can't be followed is asked for after pauses that grow to ten seconds", async () => {
  const clock = new TestClock();
  const asked: number[] = [];
  const refuses: Pick<Client, "list"> = {
    async list() {
      asked.push(Math.round(clock.elapsed() / 1000));
      throw new StatusError(403, "Forbidden", "agents is forbidden");
    },
  };
  const begunAt = Math.round(clock.elapsed() / 1000);
  const following = followObjects(
    "Agent",
    { client: refuses as Client, namespace: "crew", clock, logger: silentLogger },
    () => {},
  );
  await settled();
  await clock.advance(40_000);
  following.abort();
  expect(asked.map((at) => at - begunAt)).toEqual([0, 1, 3, 7, 15, 25, 35]);
});
