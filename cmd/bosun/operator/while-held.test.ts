import { expect, test } from "vitest";
import { whileHeld } from "./while-held.ts";

/** As the parts of the world are: classes with private fields, and plain objects. */
class Counter {
  #count = 0;
  readonly name = "counter";
  async add(by: number): Promise<number> {
    this.#count += by;
    return this.#count;
  }
}

test("methods do what they do while the lock is held, and begin nothing once it is lost", async () => {
  let isHeld = true;
  const counter = new Counter();
  const held = whileHeld(counter, () => {
    if (!isHeld) throw new Error("lost");
  });
  expect(await held.add(2)).toBe(2);
  expect(held.name).toBe("counter");
  isHeld = false;
  expect(() => held.add(3)).toThrow("lost");
  expect(await counter.add(1)).toBe(3);
});

test("who listens is let in also while the lock is not held for a moment, and is told when it is again", () => {
  let wake = (): void => {};
  const news = {
    subscribe(listener: () => void) {
      wake = listener;
    },
  };
  const held = whileHeld(news, () => {
    throw new Error("lost");
  });
  let told = 0;
  held.subscribe(() => {
    told += 1;
  });
  wake();
  expect(told).toBe(1);
});
