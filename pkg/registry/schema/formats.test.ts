import { expect, test } from "vitest";
import { formats } from "./formats.ts";

test.each<{ format: string; valid: string[]; invalid: string[] }>([
  {
    format: "date-time",
    valid: ["2026-01-02T03:04:05Z", "2024-02-29T23:59:59.123456+02:00", "2026-01-02t03:04:05z"],
    invalid: [
      "yesterday",
      "2026-01-02",
      "2026-01-02T03:04:05",
      "2026-02-30T03:04:05Z",
      "2026-01-02T24:00:00Z",
    ],
  },
  {
    format: "date",
    valid: ["2026-01-02", "2024-02-29"],
    invalid: ["2026-13-01", "2025-02-29", "2026-1-2", "2026-00-10"],
  },
  { format: "email", valid: ["a@b.example"], invalid: ["nobody", "a@", "a b@c"] },
  {
    format: "uuid",
    valid: ["01234567-89ab-cdef-0123-456789ABCDEF"],
    invalid: ["01234567", "g1234567-89ab-cdef-0123-456789abcdef"],
  },
  {
    format: "uri",
    valid: ["https://example.com/a?b", "mailto:a@b", "/a"],
    invalid: ["not a uri", "example"],
  },
  { format: "ipv4", valid: ["10.0.0.1"], invalid: ["300.1.1.1", "10.0.0", "010.0.0.1"] },
  {
    format: "ipv6",
    valid: ["::1", "fe80::1:2", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1"],
    invalid: ["1:2:3", "1::2::3", "10.0.0.1", "g::1"],
  },
  { format: "cidr", valid: ["10.0.0.0/8", "fe80::/10"], invalid: ["10.0.0.0", "10.0.0.0/33", "x/8"] },
  { format: "hostname", valid: ["a.example", "a-1"], invalid: ["-a", "a..b", "a_b"] },
  { format: "mac", valid: ["01:23:45:67:89:ab"], invalid: ["01:23:45:67:89"] },
  { format: "byte", valid: ["", "YWI=", "YWJj"], invalid: ["!!", "YWI"] },
  { format: "duration", valid: ["0", "1h30m", "1.5s", "-2ms", "3 weeks"], invalid: ["", "1", "h", "1x"] },
])("$format", ({ format, valid, invalid }) => {
  const check = formats.get(format);
  expect(valid.filter((text) => !check?.(text))).toEqual([]);
  expect(invalid.filter((text) => check?.(text))).toEqual([]);
});

test("no format takes long over a long text", () => {
  const texts = ["1", ".1", "a", "a.", "a-", ":", "1:", "a@", "AA", "2026-01-02T03:04:05.1"].map(
    (part) => `${part.repeat(100_000)}!`,
  );
  for (const [, check] of formats) for (const text of texts) expect(check(text)).toBe(false);
});
