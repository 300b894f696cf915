import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { encodeLines, readLedger } from "./ledger-file.ts";
import { LedgerError, type Line } from "./ledger-lines.ts";
import { reservation } from "./testing/steps.ts";

/** Lines of a ledger, whose ids have these lengths. */
function linesOf(lengths: readonly number[]): Line[] {
  const opened: Line = { step: "opened", ledger: "l", version: 1, seq: 1, at: 1 };
  const ids = lengths.map((length, index) => `${index}${"x".repeat(length)}`);
  return [opened, ...ids.map((id, index): Line => ({ ...reservation(id), seq: index + 2 }))];
}

function holding(bytes: Uint8Array): FileSystem {
  return {
    ...nodeFileSystem,
    async *pieces() {
      yield Buffer.from(bytes);
    },
  };
}

test("a write takes all the lines that fit into it, and never more bytes but for one long line", () => {
  const lengths = fc.array(fc.nat(2_000), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 6_000 }), (found, bytesMax) => {
      const lines = linesOf(found);
      for (let at = 0; at < lines.length; ) {
        const { text, count } = encodeLines(lines.slice(at), bytesMax);
        if (count > 1) expect(text.length).toBeLessThanOrEqual(bytesMax);
        const more = encodeLines(lines.slice(at, at + count + 1), Number.POSITIVE_INFINITY);
        if (at + count < lines.length) expect(more.text.length).toBeGreaterThan(bytesMax);
        expect(more.text.subarray(0, text.length).equals(text)).toBe(true);
        at += count;
      }
    }),
  );
});

describe("zeros in a ledger, as a power loss leaves them", () => {
  /** Whole writes, one after the other, of so many lines each. */
  const writes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 });
  const share = fc.double({ min: 0, max: 0.999, noNaN: true });

  /** The writes' bytes, and where a part of one of them is. */
  function written(counts: readonly number[], which: number, from: number, to: number) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const lines = linesOf(Array.from({ length: total - 1 }, () => 5));
    const texts = counts.map((_, index) => {
      const at = counts.slice(0, index).reduce((sum, count) => sum + count, 0);
      return encodeLines(lines.slice(at, at + (counts[index] ?? 0)), Number.POSITIVE_INFINITY).text;
    });
    const before = Buffer.concat(texts.slice(0, which)).length;
    const size = texts[which]?.length ?? 0;
    const start = before + Math.floor(from * size);
    // The line break that ends the write stays where it is damage that is to be found.
    const end = Math.max(start + 1, before + Math.ceil(to * (size - 1)));
    return { bytes: Buffer.concat(texts), start, end, isInText: start < before + size - 1 };
  }

  test("are left out with what follows where they are in its last write, whichever of its lines are whole", async () => {
    await fc.assert(
      fc.asyncProperty(writes, share, share, async (counts, from, to) => {
        const { bytes, start, end } = written(counts, counts.length - 1, from, to);
        const whole = bytes.subarray(0, start).lastIndexOf("\n") + 1;
        const expected = bytes.subarray(0, whole).toString("utf8").split("\n").length - 1;
        const { state, prefix } = await readLedger(holding(bytes.fill(0, start, end)), "ledger");
        expect({ seq: state.seq, kept: prefix.bytes }).toEqual({ seq: expected, kept: whole });
      }),
    );
  });

  test("stop everything where they are in an earlier write", async () => {
    await fc.assert(
      fc.asyncProperty(writes, share, share, async (counts, from, to) => {
        const { bytes, start, end, isInText } = written(counts, counts.length - 2, from, to);
        fc.pre(isInText);
        await expect(readLedger(holding(bytes.fill(0, start, end)), "ledger")).rejects.toThrow(LedgerError);
      }),
    );
  });
});
