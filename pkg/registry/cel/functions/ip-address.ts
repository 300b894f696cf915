/** An address: 4 or 16 bytes. */
export type Address = readonly number[];

/** A text that is no address; the message is that of Go's netip. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

/** Reads an IPv4 or IPv6 address. Throws AddressError; one with a zone or an IPv4 address in IPv6 is told apart. */
export function parseAddress(text: string): Address {
  const refuse = (why: string): never => {
    throw new AddressError(`ParseAddr(${JSON.stringify(text)}): ${why}`);
  };
  const first = /[.:%]/.exec(text)?.[0];
  if (first === ".") return parseV4(text, refuse);
  if (first === "%") return refuse("missing IPv6 address");
  return first === ":" ? parseV6(text, refuse) : refuse("unable to parse IP");
}

/** Whether an address of IPv6 only wraps one of IPv4. */
export function wrapsV4(address: Address): boolean {
  return (
    address.length === 16 &&
    address.slice(0, 10).every((byte) => byte === 0) &&
    address[10] === 255 &&
    address[11] === 255
  );
}

/** The one way to write an address: RFC 5952. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i] ?? 0) * 256 + (address[2 * i + 1] ?? 0));
  const [start, end] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (end - start < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(end).join(":")}`;
}

function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best[1] - best[0]) best = [start, end];
    if (end > start) start = end;
  }
  return best;
}

function parseV4(text: string, refuse: (why: string) => never): Address {
  const fields = text.split(".");
  const bytes = fields.map((field, i) => {
    if (field === "") {
      const rest = JSON.stringify(fields.slice(i).join("."));
      return refuse(`IPv4 field must have at least one digit (at ${rest})`);
    }
    const bad = /[^0-9]/.exec(field);
    if (bad !== null) {
      const rest = [field.slice(bad.index), ...fields.slice(i + 1)].join(".");
      return refuse(`unexpected character (at ${JSON.stringify(rest)})`);
    }
    if (field.length > 1 && field.startsWith("0")) return refuse("IPv4 field has octet with leading zero");
    return Number(field) > 255 ? refuse("IPv4 field has value >255") : Number(field);
  });
  if (bytes.length < 4) refuse("IPv4 address too short");
  if (bytes.length > 4) refuse("IPv4 address too long");
  return bytes;
}

function parseV6(text: string, refuse: (why: string) => never): Address {
  const [plain = "", ...zone] = text.split("%");
  if (zone.length > 0) {
    if (zone.join("%") === "") return refuse("zone must be a non-empty string");
    throw new AddressError(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
  }
  const halves = plain.split("::");
  if (halves.length > 2) return refuse(`multiple :: in address`);
  const groups = halves.map((half) => bytesOf(half, refuse));
  const [head = [], tail] = groups;
  if (tail === undefined) {
    if (head.length < 16) return refuse("address string too short");
    return head.length > 16 ? refuse("trailing garbage after address") : head;
  }
  const missing = 16 - head.length - tail.length;
  if (missing < 2) return refuse("the :: must expand to at least one field of zeros");
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function bytesOf(half: string, refuse: (why: string) => never): number[] {
  if (half === "") return [];
  const fields = half.split(":");
  return fields.flatMap((field, i) => {
    if (i === fields.length - 1 && field.includes(".")) return [...parseV4(field, refuse)];
    if (field === "") return refuse("each colon-separated field must have at least one digit");
    if (!/^[0-9A-Fa-f]+$/.test(field)) return refuse("unexpected character");
    if (field.length > 4) return refuse("each group must have 4 or less digits");
    const value = Number.parseInt(field, 16);
    return [value >> 8, value & 255];
  });
}
