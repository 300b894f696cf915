import { expect, test } from "vitest";
import { signedFault, unsignedFault } from "./go-integers.ts";

test.each<{ text: string; signed: string | undefined; unsigned: string | undefined }>([
  { text: "0", signed: undefined, unsigned: undefined },
  { text: "9223372036854775807", signed: undefined, unsigned: undefined },
  { text: "9223372036854775808", signed: "value out of range", unsigned: undefined },
  { text: "18446744073709551616", signed: "value out of range", unsigned: "value out of range" },
  { text: "-9223372036854775808", signed: undefined, unsigned: "invalid syntax" },
  { text: "+5", signed: undefined, unsigned: "invalid syntax" },
  { text: "1e3", signed: "invalid syntax", unsigned: "invalid syntax" },
  { text: "", signed: "invalid syntax", unsigned: "invalid syntax" },
])("$text is read as Go reads it", ({ text, signed, unsigned }) => {
  const parsing = JSON.stringify(text);
  expect(signedFault(text)).toBe(signed && `strconv.ParseInt: parsing ${parsing}: ${signed}`);
  expect(unsignedFault(text)).toBe(unsigned && `strconv.ParseUint: parsing ${parsing}: ${unsigned}`);
});
