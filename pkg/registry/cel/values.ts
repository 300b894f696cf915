import { isIPv4 } from "node:net";
import type { Environment } from "@marcbachmann/cel-js";

/** Kubernetes' CEL values of their own: URLs, quantities, IPv4 networks. */
export function registerValues(environment: Environment): void {
  environment
    .registerType("URL", Url)
    .registerFunction("isURL(dyn): bool", (text: string) => URL.canParse(text))
    .registerFunction("url(dyn): URL", (text: string) => new Url(text))
    .registerFunction("URL.getScheme(): string", (url: Url) => url.scheme)
    .registerType("Quantity", Quantity)
    .registerFunction("isQuantity(dyn): bool", (text: string) => quantityPattern.test(text))
    .registerFunction("quantity(dyn): Quantity", (text: string) => new Quantity(text))
    .registerFunction(
      "Quantity.isGreaterThan(Quantity): bool",
      (a: Quantity, b: Quantity) => a.value > b.value,
    )
    .registerType("CIDR", Cidr)
    .registerFunction("isCIDR(dyn): bool", (text: string) => Cidr.parse(text) !== undefined)
    .registerFunction("cidr(dyn): CIDR", (text: string) => new Cidr(text))
    .registerFunction("CIDR.containsIP(string): bool", (cidr: Cidr, ip: string) => cidr.contains(ip));
}

class Url {
  readonly scheme: string;
  constructor(text: string) {
    this.scheme = new URL(text).protocol.replace(/:$/, "");
  }
}

const quantityPattern = /^([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const suffixes = new Map<string, number>([
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((suffix, i) => [suffix, 1024 ** (i + 1)] as const),
  ...["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].map((suffix, i) => [suffix, 1000 ** (i - 3)] as const),
]);

class Quantity {
  readonly value: number;
  constructor(text: string) {
    const [, digits, suffix = ""] = quantityPattern.exec(text) ?? [];
    if (digits === undefined) throw new Error(`quantities must match the regular expression`);
    this.value = Number(digits) * (suffixes.get(suffix) ?? Number(`1${suffix}`));
  }
}

class Cidr {
  readonly #network: number;
  readonly #bits: number;
  constructor(text: string) {
    const parsed = Cidr.parse(text);
    if (parsed === undefined) throw new Error(`network address parse error during conversion from string`);
    [this.#network, this.#bits] = parsed;
  }

  static parse(text: string): readonly [number, number] | undefined {
    const [ip = "", bits = ""] = text.split("/");
    if (!isIPv4(ip) || !/^\d+$/.test(bits) || Number(bits) > 32) return undefined;
    return [ipv4(ip), Number(bits)];
  }

  contains(ip: string): boolean {
    const size = 2 ** (32 - this.#bits);
    return Math.floor(ipv4(ip) / size) === Math.floor(this.#network / size);
  }
}

function ipv4(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
