import { expect, test } from "vitest";
import { tell } from "./story.ts";

test("a story in which time does not pass, since always something happens, fails: it went on as if it had", async () => {
  const story = await tell();
  const { world } = story.world.scheduler;
  const again = (): void => world.defer(again);
  again();
  const startMs = story.world.scheduler.elapsedMs;
  await expect(story.minutes(1)).rejects.toThrow("1 minutes were not over after 200000 steps.");
  expect(story.world.scheduler.elapsedMs).toBeLessThan(startMs + 60_000);
});
