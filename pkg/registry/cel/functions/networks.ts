import { bool, int, opaque, string } from "../check/type.ts";
import { CelError, noSuchOverload, Opaque, type Value } from "../values/value.ts";
import { type Cost, charCost, copyFirst, readFirst, size } from "./costs.ts";
import { type Address, AddressError, formatAddress, parseAddress, wrapsV4 } from "./ip-address.ts";
import { global, type Library, member, type Overload } from "./overload.ts";

export const ipType = opaque("net.IP");
export const cidrType = opaque("net.CIDR");

const within: Cost = ([cidr, , ..._rest]) => Math.ceil(size(cidr) * 2 * charCost);
const withinText: Cost = (args, work) => within(args, work) + Math.ceil(size(args[1]) * charCost);
const covers: Cost = (args, work) => within(args, work) + Math.ceil(size(args[0]) * charCost) + 1;
const coversText: Cost = (args, work) => covers(args, work) + Math.ceil(size(args[1]) * charCost);

/** Kubernetes' functions on addresses and networks. */
export const networks: Library = {
  ip: [
    global("string_to_ip", [string], ipType, ([text]) => ipFrom(text), { cost: readFirst }),
    member("cidr_ip", [cidrType], ipType, ([cidr]) => new Ip((cidr as Cidr).address)),
  ],
  isIP: [global("is_ip", [string], bool, ([text]) => ipFrom(text) instanceof Ip, { cost: readFirst })],
  "ip.isCanonical": [
    global("ip_is_canonical", [string], bool, ([text]) => isCanonical(text), { cost: copyFirst }),
  ],
  family: [member("ip_family", [ipType], int, ([ip]) => ((ip as Ip).address.length === 4 ? 4n : 6n))],
  isUnspecified: [trait("ip_is_unspecified", (address) => address.every((byte) => byte === 0))],
  isLoopback: [trait("ip_is_loopback", isLoopback)],
  isLinkLocalMulticast: [trait("ip_is_link_local_multicast", isLinkLocalMulticast)],
  isLinkLocalUnicast: [trait("ip_is_link_local_unicast", isLinkLocalUnicast)],
  isGlobalUnicast: [trait("ip_is_global_unicast", isGlobalUnicast)],
  cidr: [global("string_to_cidr", [string], cidrType, ([text]) => cidrFrom(text), { cost: readFirst })],
  isCIDR: [
    global("is_cidr", [string], bool, ([text]) => cidrFrom(text) instanceof Cidr, { cost: readFirst }),
  ],
  containsIP: [
    member(
      "cidr_contains_ip_string",
      [cidrType, string],
      bool,
      ([cidr, text]) => containsIp(cidr, ipFrom(text)),
      {
        cost: withinText,
      },
    ),
    member("cidr_contains_ip_ip", [cidrType, ipType], bool, ([cidr, ip]) => containsIp(cidr, ip), {
      cost: within,
    }),
  ],
  containsCIDR: [
    member(
      "cidr_contains_cidr_string",
      [cidrType, string],
      bool,
      ([cidr, text]) => containsCidr(cidr, cidrFrom(text)),
      {
        cost: coversText,
      },
    ),
    member("cidr_contains_cidr", [cidrType, cidrType], bool, ([cidr, other]) => containsCidr(cidr, other), {
      cost: covers,
    }),
  ],
  prefixLength: [member("cidr_prefix_length", [cidrType], int, ([cidr]) => BigInt((cidr as Cidr).bits))],
  masked: [
    member("cidr_masked", [cidrType], cidrType, ([cidr]) => {
      const { address, bits } = cidr as Cidr;
      return new Cidr(masked(address, bits), bits);
    }),
  ],
  string: [
    global("ip_to_string", [ipType], string, ([ip]) => formatAddress((ip as Ip).address)),
    global("cidr_to_string", [cidrType], string, ([cidr]) => {
      const { address, bits } = cidr as Cidr;
      return `${formatAddress(address)}/${bits}`;
    }),
  ],
};

class Ip extends Opaque {
  readonly typeName = ipType.name;
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  override get size(): number {
    return this.address.length;
  }

  equals(other: Ip): boolean {
    return sameBytes(this.address, other.address);
  }
}

class Cidr extends Opaque {
  readonly typeName = cidrType.name;
  readonly address: Address;
  readonly bits: number;

  constructor(address: Address, bits: number) {
    super();
    this.address = address;
    this.bits = bits;
  }

  override get size(): number {
    return Math.ceil(this.bits / 8);
  }

  equals(other: Cidr): boolean {
    return this.bits === other.bits && sameBytes(this.address, other.address);
  }
}

function ipFrom(text: Value | undefined): Ip | CelError {
  const shown = JSON.stringify(text);
  try {
    const address = parseAddress(text as string);
    if (!wrapsV4(address)) return new Ip(address);
    return new CelError(`IPv4-mapped IPv6 address ${shown} is not allowed`);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const why = error.message;
    if (!why.startsWith("ParseAddr(")) return new CelError(why);
    return new CelError(`IP Address ${shown} parse error during conversion from string: ${why}`);
  }
}

function isCanonical(text: Value | undefined): Value {
  const ip = ipFrom(text);
  return ip instanceof CelError ? ip : formatAddress(ip.address) === text;
}

function cidrFrom(text: Value | undefined): Cidr | CelError {
  const shown = JSON.stringify(text);
  const prefix = "network address parse error during conversion from string: ";
  const refused = (why: string): CelError =>
    new CelError(`${prefix}${prefix}netip.ParsePrefix(${shown}): ${why}`);
  const slash = (text as string).lastIndexOf("/");
  if (slash < 0) return refused("no '/'");
  const bits = (text as string).slice(slash + 1);
  let address: Address;
  try {
    address = parseAddress((text as string).slice(0, slash));
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const zone = error.message.includes("with zone value");
    return refused(zone ? "IPv6 zones cannot be present in a prefix" : error.message);
  }
  if (!/^(0|[1-9]\d{0,9})$/.test(bits)) return refused(`bad bits after slash: ${JSON.stringify(bits)}`);
  if (Number(bits) > address.length * 8) return refused("prefix length out of range");
  if (wrapsV4(address)) return new CelError(`${prefix}IPv4-mapped IPv6 address ${shown} is not allowed`);
  return new Cidr(address, Number(bits));
}

/** As in Kubernetes, a text that is no address is not told as such here. */
function containsIp(cidr: Value | undefined, ip: Value | undefined): Value {
  if (!(ip instanceof Ip)) return noSuchOverload;
  const { address, bits } = cidr as Cidr;
  return sameBytes(masked(address, bits), masked(ip.address, bits));
}

function containsCidr(cidr: Value | undefined, other: Value | undefined): Value {
  if (other instanceof CelError) return other;
  const [outer, inner] = [cidr as Cidr, other as Cidr];
  const same = sameBytes(masked(outer.address, outer.bits), masked(inner.address, outer.bits));
  return same && outer.bits <= inner.bits;
}

function masked(address: Address, bits: number): Address {
  return address.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * i));
    return byte & (256 - 2 ** (8 - kept));
  });
}

function sameBytes(a: Address, b: Address): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function trait(id: string, holds: (address: Address) => boolean): Overload {
  return member(id, [ipType], bool, ([ip]) => holds((ip as Ip).address));
}

function isLoopback(address: Address): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

function isMulticast([first = 0, ...rest]: Address): boolean {
  return rest.length === 3 ? (first & 0xf0) === 0xe0 : first === 0xff;
}

function isLinkLocalMulticast(address: Address): boolean {
  const [a, b, c] = address;
  if (address.length === 4) return a === 224 && b === 0 && c === 0;
  return a === 0xff && ((b ?? 0) & 0x0f) === 0x02;
}

function isLinkLocalUnicast(address: Address): boolean {
  const [a, b] = address;
  if (address.length === 4) return a === 169 && b === 254;
  return a === 0xfe && ((b ?? 0) & 0xc0) === 0x80;
}

function isGlobalUnicast(address: Address): boolean {
  if (address.length === 4 && address.every((byte) => byte === 255)) return false;
  const unspecified = address.every((byte) => byte === 0);
  return !unspecified && !isLoopback(address) && !isMulticast(address) && !isLinkLocalUnicast(address);
}
