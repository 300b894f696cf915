import { expect, test } from "vitest";
import { guarded, type World } from "./world.ts";

test.each(["repository", "quality", "gateway", "sessions"] as const)(
  "an operator that is none any more begins nothing with its %s: what it was about to end is another's by then",
  (name) => {
    let begun = 0;
    let isHeld = true;
    const part = { stop: () => (begun += 1) };
    const world = { repository: part, quality: part, gateway: part, sessions: part } as unknown as World;
    const held = guarded(world, () => {
      if (!isHeld) throw new Error("Taken over.");
    })[name] as unknown as typeof part;
    held.stop();
    isHeld = false;
    expect(() => held.stop()).toThrow("Taken over.");
    expect(begun).toBe(1);
  },
);
