/** A 64-bit FNV-1a of `text` as 16 hexadecimal digits: fast, the same everywhere, and no secret. */
export function hash(text: string): string {
  let high = 0x811c9dc5 | 0;
  let low = 0x01000193 | 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
    low ^= low >>> 13;
  }
  return hex(high) + hex(low);
}

/** A number in [0, 1) that `text` alone decides. */
export function share(text: string): number {
  const digits = hash(text);
  return Number.parseInt(digits.slice(8), 16) / 2 ** 32;
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
