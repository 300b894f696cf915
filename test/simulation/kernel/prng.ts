import type { Ids, Random } from "../../../pkg/runtime/clock.ts";

/** A reproducible source of chance: the same seed and stream give the same numbers on every machine. */
export interface Prng extends Random {
  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number;
  /** True with this probability; draws one number whatever it is. */
  chance(probability: number): boolean;
}

/**
 * sfc32, seeded by `seed` and the name of what it is for, so that one use of chance does not shift another's.
 *
 * @see PractRand, by Chris Doty-Humphrey: http://pracrand.sourceforge.net/
 */
export function prng(seed: number, stream: string): Prng {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x811c9dc5;
  for (let index = 0; index < stream.length; index += 1)
    c = Math.imul(c ^ stream.charCodeAt(index), 0x01000193);
  let counter = 1;
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 15; round += 1) uint32();
  const next = (): number => uint32() / 2 ** 32;
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    chance: (probability) => next() < probability,
  };
}

const HEX = "0123456789abcdef";

/** Version 4 UUIDs out of `random`. */
export function simIds(random: Prng): Ids {
  const hex = (digits: number): string => {
    let text = "";
    for (let digit = 0; digit < digits; digit += 1) text += HEX[random.below(16)];
    return text;
  };
  return {
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + random.below(4)).toString(16)}${hex(3)}-${hex(12)}`,
  };
}
