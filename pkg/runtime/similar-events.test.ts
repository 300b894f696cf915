import { describe, expect, test } from "vitest";
import { similarEvents, similarMax } from "./similar-events.ts";

describe("similar events", () => {
  test("are told one by one until there are ten, then as one", () => {
    const tell = similarEvents(600_000);
    const told = Array.from({ length: 15 }, (_, i) => tell("project/p1 Progress", `${i} %`, i * 1000));
    expect(new Set(told.map(({ id }) => id)).size).toBe(similarMax);
    expect(told[similarMax - 2]?.message).toBe("8 %");
    expect(told.slice(similarMax - 1).map(({ message }) => message)).toEqual(
      [9, 10, 11, 12, 13, 14].map((i) => `(combined from similar events): ${i} %`),
    );
  });

  test("that say the same are one however often they come", () => {
    const tell = similarEvents(600_000);
    const told = Array.from({ length: 50 }, (_, i) => tell("project/p1 Stuck", "No file changed.", i));
    expect(new Set(told.map(({ id, message }) => `${id} ${message}`)).size).toBe(1);
  });

  test("of other objects or reasons count apart", () => {
    const tell = similarEvents(600_000);
    for (let i = 0; i < 20; i++) tell("project/p1 Progress", `${i} %`, i);
    expect(tell("project/p2 Progress", "1 %", 30).message).toBe("1 %");
  });

  test("are told one by one again after a silence", () => {
    const tell = similarEvents(600_000);
    for (let i = 0; i < 20; i++) tell("project/p1 Progress", `${i} %`, i);
    expect(tell("project/p1 Progress", "again", 600_019).message).toBe(
      "(combined from similar events): again",
    );
    expect(tell("project/p1 Progress", "later", 1_200_020).message).toBe("later");
  });
});
