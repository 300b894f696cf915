import { isIPv6 } from "node:net";
import { isEmail } from "./email.ts";
import { isRequestUri } from "./uri.ts";

/**
 * The string formats that kube-apiserver 1.36 checks, by their name without dashes, with its rules and their quirks; a
 * format that is not here is not checked. The texts come from clients: nothing here may take more than linear time.
 */
export const formats: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["bsonobjectid", (text) => /^[0-9a-f]{24}$/i.test(text)],
  ["uri", isRequestUri],
  ["email", isEmail],
  ["hostname", isHostname],
  ["ipv4", (text) => text.includes(".") && (isSloppyIpv4(text) || isSloppyIpv6(text))],
  ["ipv6", (text) => text.includes(":") && !text.includes("%") && isIPv6(text)],
  ["cidr", isCidr],
  ["mac", isMac],
  ["uuid", (text) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text)],
  ["uuid3", (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text)],
  [
    "uuid4",
    (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  ],
  [
    "uuid5",
    (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  ],
  ["isbn", (text) => isIsbn10(text) || isIsbn13(text)],
  ["isbn10", isIsbn10],
  ["isbn13", isIsbn13],
  ["creditcard", isCreditCard],
  ["ssn", (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ["hexcolor", (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text)],
  ["rgbcolor", isRgbColor],
  ["byte", (text) => text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]{2,}={0,2}$/.test(text)],
  ["password", () => true],
  ["date", isDate],
  ["duration", isDuration],
  ["datetime", isDateTime],
  ["k8sshortname", (text) => text.length <= 63 && isNameLabel(text)],
  ["k8slongname", (text) => text.length <= 253 && text.split(".").every(isNameLabel)],
]);

/** The check of a format by its name, as `date-time`; undefined when it is not checked. */
export function formatCheck(name: string): ((text: string) => boolean) | undefined {
  return formats.get(name.replaceAll("-", ""));
}

/** A name of labels; or, with letters, digits and symbols of any script, one label that has at most one dash. */
function isHostname(text: string): boolean {
  if (Buffer.byteLength(text) > 255) return false;
  if (text.split(".").some((label) => Buffer.byteLength(label) > 63)) return false;
  const one = /^[a-z0-9\p{S}\p{L}](-?[a-z0-9\p{S}\p{L}]{0,62})?$/iu;
  const several =
    /^([a-z0-9\p{S}\p{L}]([a-z0-9\-\p{S}\p{L}]{0,61}[a-z0-9\p{S}\p{L}])?\.)+[a-z\p{L}]{2,63}$/iu;
  return one.test(text) || several.test(text);
}

/** Four numbers up to 255; leading zeros pass, as in Go before 1.17. */
function isSloppyIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d+$/.test(part) && Number(part) <= 255);
}

function isSloppyIpv6(text: string): boolean {
  if (text.includes("%") || !text.includes(":")) return false;
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (!tail.includes(".")) return isIPv6(text);
  return isSloppyIpv4(tail) && isIPv6(`${text.slice(0, -tail.length)}1.2.3.4`);
}

function isCidr(text: string): boolean {
  const slash = text.indexOf("/");
  const bits = text.slice(slash + 1);
  if (slash < 0 || !/^\d+$/.test(bits)) return false;
  const address = text.slice(0, slash);
  if (isSloppyIpv4(address)) return Number(bits) <= 32;
  return isSloppyIpv6(address) && Number(bits) <= 128;
}

/** 6, 8 or 20 bytes in pairs of digits, or in fours with dots. */
function isMac(text: string): boolean {
  return (
    /^[0-9a-f]{2}(:[0-9a-f]{2}){5}((:[0-9a-f]{2}){2}((:[0-9a-f]{2}){12})?)?$/i.test(text) ||
    /^[0-9a-f]{2}(-[0-9a-f]{2}){5}((-[0-9a-f]{2}){2}((-[0-9a-f]{2}){12})?)?$/i.test(text) ||
    /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}((\.[0-9a-f]{4})((\.[0-9a-f]{4}){6})?)?$/i.test(text)
  );
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^([0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, digit, i) => total + (i + 1) * (digit === "X" ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, i) => total + (i % 2 === 0 ? 1 : 3) * Number(digit), 0);
  return sum % 10 === 0;
}

/** Luhn's check over the digits of a number that begins as one of the large issuers' do. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  const issued =
    /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
  if (!issued.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const match = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
  return match?.slice(1).every((part) => /^(0|[1-9]\d*)$/.test(part) && Number(part) <= 255) ?? false;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0 && day > 0;
}

/** A date, `T`, a time with zone. The mark before the fraction may be any, as its pattern upstream does not escape it. */
function isDateTime(text: string): boolean {
  const [date = "", time = ""] = text.toLowerCase().split("t", 2);
  return isDate(date) && /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(.\d+)?(z|[+-]\d{2}:\d{2})$/.test(time);
}

const longUnits = ["nano", "micro", "milli", "second", "minute", "hour", "day", "week"];
const shortUnits = ["ns", "us", "µs", "ms", "s", "sec", "m", "min", "h", "hr", "d", "w", "wk"];

/** Go's time.ParseDuration, or a text in which a number with a unit (`3 weeks`) occurs. */
function isDuration(text: string): boolean {
  if (/^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return true;
  let found = false;
  for (const [, count = "", unit = ""] of text.matchAll(/(?<!\d)(\d+)\s*([A-Za-zµ]+)/g)) {
    if (BigInt(count.slice(0, 20)) > 2n ** 63n - 1n) return false;
    const lower = unit.toLowerCase();
    found ||= shortUnits.includes(lower) || longUnits.some((known) => lower.startsWith(known));
  }
  return found;
}

function isNameLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}
