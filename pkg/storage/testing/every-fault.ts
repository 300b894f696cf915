import { randomInt } from "node:crypto";
import { type Call, type Fault, faultsOf } from "./crash-disk.ts";
import { seeded } from "./seeded.ts";

/** For tests that go through faults: far more than they take, also with all of them or on a busy machine. Milliseconds. */
export const faultsTimeoutMs = 600_000;

/** One call of a story, and a way in which it can fail. */
export interface FaultAt {
  step: number;
  fault: Fault;
  /** For messages. */
  said: string;
}

/** Every way in which each of these calls can fail, once and from then on. */
export function everyFault(made: readonly Call[]): FaultAt[] {
  return made.flatMap((call, step) =>
    faultsOf[call].flatMap((code) =>
      [false, true].map((lasting) => ({
        step,
        fault: { code, lasting },
        said: `${code}${lasting ? " from then on" : ""} at step ${step}, a ${call}`,
      })),
    ),
  );
}

/** So many of these, others each time; all of them with BOSUN_EVERY_FAULT set, as `npm run soak:disk` does. */
export function someOf<T>(all: readonly T[], count: number): readonly T[] {
  if (process.env.BOSUN_EVERY_FAULT !== undefined) return all;
  const random = seeded(randomInt(2 ** 31));
  return all
    .map((one) => ({ one, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ one }) => one);
}

/** Why a story ended before its time; undefined when it didn't. What a test expected in vain is thrown. */
export async function failureOf(story: Promise<void>): Promise<unknown> {
  try {
    await story;
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "AssertionError") throw error;
    return error;
  }
}
