import { expect, test } from "vitest";
import { settled, TestClock } from "../runtime/testing/clock.ts";
import type { Purpose } from "../session/sessions.ts";
import { Line, type Turn } from "./queue.ts";

const NEVER = new AbortController().signal;

/** A line in front of as many places as `room` has. */
function counter(room: number) {
  const clock = new TestClock();
  const line = new Line({ clock, waitMs: 300_000 });
  const served: string[] = [];
  const state = { room, isOpen: true };
  const enter = (
    name: string,
    purpose: Purpose = "execute",
    wants: readonly string[] = ["room"],
    signal = NEVER,
  ) =>
    line.wait(
      {
        purpose,
        wants: () => wants,
        passes: ["gate"],
        serve: (): Turn<string> => {
          if (!state.isOpen) return { is: "wait", blocks: ["gate"] };
          if (wants.includes("room")) {
            if (state.room === 0) return { is: "wait", blocks: ["room"] };
            state.room -= 1;
          }
          served.push(name);
          return { is: "served", result: name };
        },
      },
      signal,
    );
  return { clock, line, served, state, enter };
}

test("who finds room is served at once", async () => {
  const { enter, line } = counter(1);
  expect(await enter("a")).toBe("a");
  expect(line.length).toBe(0);
});

test("who has left before it got into line is neither served nor stands in it: it took the money of others", async () => {
  for (const room of [0, 1]) {
    const { enter, line, served } = counter(room);
    await expect(enter("a", "execute", ["room"], AbortSignal.abort("left"))).rejects.toBe("left");
    expect([line.length, served]).toEqual([0, []]);
  }
});

test("reviews go first, and each kind in order of arrival", async () => {
  const { enter, line, served, state } = counter(0);
  const all = [enter("e1"), enter("e2"), enter("r1", "review"), enter("e3"), enter("r2", "review")];
  state.room = 2;
  line.look();
  await settled();
  expect(served).toEqual(["r1", "r2"]);
  state.room = 3;
  line.look();
  await Promise.all(all);
  expect(served).toEqual(["r1", "r2", "e1", "e2", "e3"]);
});

test("nobody overtakes who waits for the same, but who wants something else passes", async () => {
  const { enter, served, state } = counter(0);
  const first = enter("a");
  expect(await enter("b", "execute", ["other"])).toBe("b");
  state.room = 1;
  const later = enter("c");
  await first;
  expect(served).toEqual(["b", "a"]);
  state.room = 1;
  await Promise.race([later, settled()]);
  expect(served).toEqual(["b", "a"]);
});

test("who waits for one thing is not overtaken in the other that it wants, either", async () => {
  const { enter, line, served, state } = counter(0);
  const all = [enter("a"), enter("b", "execute", ["room", "other"]), enter("c", "execute", ["other"])];
  await settled();
  expect(served).toEqual([]);
  state.room = 2;
  line.look();
  await Promise.all(all);
  expect(served).toEqual(["a", "b", "c"]);
});

test("who stands behind one that waits keeps nobody from passing who wants something else: one Budget held up all others", async () => {
  const { enter, served } = counter(0);
  void Promise.all([enter("a"), enter("b")]);
  expect(await enter("c", "execute", ["other"])).toBe("c");
  expect(served).toEqual(["c"]);
});

test("a gate that is shut holds up everybody, and the first in line is the first to pass", async () => {
  const { enter, line, served, state } = counter(1);
  state.isOpen = false;
  const all = [enter("a", "execute", ["other"]), enter("b"), enter("r", "review")];
  await settled();
  expect(served).toEqual([]);
  Object.assign(state, { isOpen: true, room: 2 });
  line.look();
  await Promise.all(all);
  expect(served).toEqual(["r", "a", "b"]);
});

test("who waits longer than five minutes is turned away, and is not served afterwards", async () => {
  const { enter, clock, line, served, state } = counter(0);
  const waiting = enter("a").catch((error: Error) => error.name);
  await clock.advance(299_999);
  expect(line.length).toBe(1);
  await clock.advance(1);
  expect(await waiting).toBe("WaitTimeoutError");
  state.room = 1;
  line.look();
  expect(served).toEqual([]);
});

test("who leaves the line makes way at once, and nothing is served to nobody", async () => {
  const { enter, line, served, state } = counter(0);
  const leaving = new AbortController();
  const first = enter("a", "execute", ["room"], leaving.signal).catch(() => "left");
  const second = enter("b");
  state.room = 1;
  leaving.abort();
  expect(await first).toBe("left");
  expect(await second).toBe("b");
  expect(served).toEqual(["b"]);
  expect(line.length).toBe(0);
});
