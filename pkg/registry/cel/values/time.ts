/** A point in time with nanoseconds, and the offset it was written with: `string()` writes it so again. */
export class Timestamp {
  readonly typeName = "google.protobuf.Timestamp";
  /** Since the Unix epoch; whole. */
  readonly seconds: number;
  /** 0 to 999999999. */
  readonly nanos: number;
  readonly offsetMinutes: number;

  constructor(seconds: number, nanos: number, offsetMinutes = 0) {
    this.seconds = seconds;
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }

  /** Nanoseconds since the Unix epoch. */
  get epochNanos(): bigint {
    return BigInt(this.seconds) * billion + BigInt(this.nanos);
  }
}

/** A span of time: 64 bits of nanoseconds, as in Go. */
export class CelDuration {
  readonly typeName = "google.protobuf.Duration";
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** The years 1 to 9999. */
export const minSeconds = -62_135_596_800;
export const maxSeconds = 253_402_300_799;

const billion = 1_000_000_000n;
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:[Zz]|([-+])(\d{2}):(\d{2}))$/;

/** Reads RFC 3339; undefined when `text` is something else. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hours, minutes, seconds] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [, , , , , , , fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  if (Number(offsetHours) > 24 || Number(offsetMinutes) > 59) return undefined;
  const offset = (sign === "-" ? -1 : 1) * (Number(offsetHours) * 60 + Number(offsetMinutes));
  const days = epochDay(year, month, day);
  const at = days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset * 60;
  return new Timestamp(at, Number(fraction.slice(0, 9).padEnd(9, "0")), offset);
}

/** Go's RFC3339Nano. */
export function formatTimestamp(time: Timestamp): string {
  const local = new Date((time.seconds + time.offsetMinutes * 60) * 1000).toISOString().slice(0, 19);
  const fraction = time.nanos === 0 ? "" : `.${String(time.nanos).padStart(9, "0").replace(/0+$/, "")}`;
  if (time.offsetMinutes === 0) return `${local}${fraction}Z`;
  const minutes = Math.abs(time.offsetMinutes);
  const two = (part: number): string => String(part).padStart(2, "0");
  const zone = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${local}${fraction}${time.offsetMinutes < 0 ? "-" : "+"}${zone}`;
}

export function timestampAt(epochNanos: bigint, offsetMinutes = 0): Timestamp {
  let seconds = epochNanos / billion;
  let nanos = epochNanos % billion;
  if (nanos < 0n) {
    nanos += billion;
    seconds -= 1n;
  }
  return new Timestamp(Number(seconds), Number(nanos), offsetMinutes);
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: billion,
  m: 60n * billion,
  h: 3600n * billion,
};

/** Go's time.ParseDuration: `1h30m`, `-1.5s`; undefined when `text` is none or too long for 64 bits. */
export function parseDuration(text: string): CelDuration | undefined {
  const match = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, body = ""] = match;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of body.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = unitNanos[unit] ?? 0n;
    if (whole.length > 20) return undefined;
    const decimals = fraction.slice(0, 18);
    nanos += BigInt(whole || "0") * scale;
    nanos += (BigInt(decimals || "0") * scale) / 10n ** BigInt(decimals.length);
  }
  const signed = sign === "-" ? -nanos : nanos;
  return BigInt.asIntN(64, signed) === signed ? new CelDuration(signed) : undefined;
}

/** Days since the Unix epoch. */
function epochDay(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / 86_400_000);
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}
