/** Why Go's `strconv.ParseUint` refuses a text as a number of 64 bits, in its words; undefined when it takes it. */
export function unsignedFault(text: string): string | undefined {
  if (!/^\d+$/.test(text)) return fault("ParseUint", text, "invalid syntax");
  return BigInt(text) < 1n << 64n ? undefined : fault("ParseUint", text, "value out of range");
}

/** Why Go's `strconv.ParseInt` refuses a text as a number of 64 bits, in its words; undefined when it takes it. */
export function signedFault(text: string): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return fault("ParseInt", text, "invalid syntax");
  const value = BigInt(text.replace(/^\+/, ""));
  return value >= -(1n << 63n) && value < 1n << 63n
    ? undefined
    : fault("ParseInt", text, "value out of range");
}

function fault(reader: string, text: string, why: string): string {
  return `strconv.${reader}: parsing ${JSON.stringify(text)}: ${why}`;
}
