/** A line of JSON with the checksum of all that is before it: `"sum"`, CRC-32 in eight hexadecimal digits, its last field. */
import { crc32 } from "node:zlib";

/** @param json - an object's with one field at least */
export function withSum(json: string): string {
  const before = json.slice(0, -1);
  return `${before},"sum":"${sumOf(before)}"}\n`;
}

/** Whether a line that says that its checksum is `sum` has that one. */
export function hasSum(text: string, sum: string): boolean {
  return sum === sumOf(text.slice(0, -`,"sum":"${sum}"}`.length));
}

function sumOf(before: string): string {
  return crc32(before).toString(16).padStart(8, "0");
}
