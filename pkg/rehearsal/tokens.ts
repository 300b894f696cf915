/**
 * A plausible count of tokens: one for each 3.6 bytes of UTF-8, at least one. Never above the bytes, which the
 * gateway's bound builds on, and never smaller for a longer text.
 */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / 3.6));
}
