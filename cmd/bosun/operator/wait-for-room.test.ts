import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { beatMs } from "./lock-holder.ts";
import { roomBytes, roomFiles, waitForRoom } from "./wait-for-room.ts";

/** What the disks say at one look. */
interface Look {
  /** Of each disk. */
  bytes: readonly [number, number];
  files: number;
  /** Whether each takes what is tried. */
  takes: readonly [boolean, boolean];
  /** Whether the lock's file can be written. */
  letsGo: boolean;
}

const roomy: Look = { bytes: [roomBytes, roomBytes], files: roomFiles, takes: [true, true], letsGo: true };

/** Lets an operator wait while the disks say `looks`, one after the other, and then that there is room. */
function waiting(looks: readonly Look[], { pauseMs = 0, signal = new AbortController().signal } = {}) {
  let nowMs = 0;
  let at = 0;
  const seen = { beats: 0, isHeld: true, notes: [] as string[], waits: [] as string[], tries: 0 };
  const clock: Clock = {
    now: () => nowMs,
    elapsed: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
      at += 1;
    },
  };
  const look = (): Look => looks[at] ?? roomy;
  const over = waitForRoom({
    folders: ["/one", "/other"],
    earlier: {
      beat: () => {
        seen.beats += 1;
      },
      release() {
        if (!look().letsGo) throw new Error("full");
        seen.isHeld = false;
      },
    },
    pauseMs,
    clock,
    signal,
    note: (line) => seen.notes.push(line),
    onWait: (message) => seen.waits.push(message),
    disk: {
      roomIn: (folder) => ({ bytes: look().bytes[folder === "/one" ? 0 : 1], files: look().files }),
      async takesBytes(folder) {
        seen.tries += 1;
        return look().takes[folder === "/one" ? 0 : 1];
      },
    },
  });
  return { over, seen, looksTaken: () => at };
}

const bytes = fc.constantFrom(0, roomBytes - 1, roomBytes, 10 * roomBytes);
const looks = fc.array(
  fc.record({
    bytes: fc.tuple(bytes, bytes),
    files: fc.constantFrom(0, roomFiles - 1, roomFiles, Number.POSITIVE_INFINITY),
    takes: fc.tuple(fc.boolean(), fc.boolean()),
    letsGo: fc.boolean(),
  }),
);

test("it goes on at the first look after its pause at which each disk has room, takes it, and the lock can be let go", async () => {
  await fc.assert(
    fc.asyncProperty(looks, fc.nat({ max: 5 * beatMs }), async (said, pauseMs) => {
      const { over, seen, looksTaken } = waiting(said, { pauseMs });
      await over;
      const isRoom = ({ bytes, files, takes, letsGo }: Look, index: number): boolean =>
        bytes.every((free) => free >= roomBytes) &&
        files >= roomFiles &&
        takes.every(Boolean) &&
        letsGo &&
        index * beatMs >= pauseMs;
      const enough = Math.max(said.length, Math.ceil(pauseMs / beatMs));
      const all = Array.from({ length: enough + 1 }, (_, index) => said[index] ?? roomy);
      expect(looksTaken()).toBe(all.findIndex(isRoom));
      expect(seen.isHeld).toBe(false);
      expect(seen.waits).toHaveLength(looksTaken() === 0 ? 0 : 1);
      // Until then it has given a sign of life with each look, and written nothing to a disk that says it is full.
      expect(seen.beats).toBe(looksTaken() + 1);
      const full = all.filter(({ bytes }) => bytes.some((free) => free < roomBytes)).length;
      expect(seen.tries).toBeLessThanOrEqual(2 * (all.length - Math.min(full, looksTaken())));
    }),
  );
});

test("the person is told which disk is full and how full, again after ten minutes, and that it goes on", async () => {
  const full: Look = { ...roomy, bytes: [roomBytes, 1_250_000] };
  const { over, seen } = waiting(Array.from({ length: 700_000 / beatMs }, () => full));
  await over;
  const told = expect.stringMatching(
    /^The disk of \/other is full: 1\.2 MB are free\. .*by itself once there is room for 32 MB there\. Ctrl-C ends it\.$/,
  );
  expect(seen.notes).toEqual([told, told, expect.stringContaining("goes on after 700 s")]);
  expect(seen.waits).toEqual([seen.notes[0]?.replace(" Ctrl-C ends it.", "")]);
});

test.each<[string, Look, RegExp]>([
  ["no more files", { ...roomy, files: 3 }, /^The disk of \/one is full: 3 more files can be made\./],
  [
    "a quota",
    { ...roomy, takes: [true, false] },
    /^The disk of \/one took no more, though it says that 32 MB are free\./,
  ],
])("%s is told as what it is", async (_what, look, wanted) => {
  const { over, seen } = waiting([look]);
  await over;
  expect(seen.notes[0]).toMatch(wanted);
});

test("who is interrupted ends with that, and still holds the lock", async () => {
  const interrupted = new AbortController();
  interrupted.abort(new Error("Ctrl-C"));
  const { over, seen } = waiting([], { signal: interrupted.signal });
  await expect(over).rejects.toThrow("Ctrl-C");
  expect(seen.isHeld).toBe(true);
});
