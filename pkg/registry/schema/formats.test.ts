import { expect, test } from "vitest";
import { formatCheck, formats } from "./formats.ts";

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
      "2026-01-02 03:04:05Z",
    ],
  },
  {
    format: "date",
    valid: ["2026-01-02", "2024-02-29"],
    invalid: ["2026-13-01", "2025-02-29", "2026-1-2", "2026-00-10"],
  },
  {
    format: "email",
    valid: ["a@b.example", "Name Two <a.b+c@d>", '"a b"@c', "a@[10.0.0.1]", "ä@ö.example", "a@b (note)"],
    invalid: ["nobody", "a@", "a b@c", "a@b@c", "<a@b", "a..b@c", "", "a@b,c@d"],
  },
  {
    format: "uuid",
    valid: ["01234567-89ab-cdef-0123-456789ABCDEF", "0123456789abcdef0123456789abcdef"],
    invalid: ["01234567", "g1234567-89ab-cdef-0123-456789abcdef"],
  },
  {
    format: "uuid3",
    valid: ["01234567-89ab-3def-0123-456789abcdef"],
    invalid: ["01234567-89ab-4def-0123-456789abcdef"],
  },
  {
    format: "uuid4",
    valid: ["01234567-89ab-4def-8123-456789abcdef"],
    invalid: ["01234567-89ab-4def-0123-456789abcdef"],
  },
  {
    format: "uuid5",
    valid: ["01234567-89ab-5def-b123-456789abcdef"],
    invalid: ["01234567-89ab-4def-b123-456789abcdef"],
  },
  {
    format: "uri",
    valid: [
      "https://example.com/a?b",
      "mailto:a@b",
      "/a",
      "/a b",
      "https://u:p@h:80/x#y",
      "http://[::1]:80/",
      "urn:x y",
      "*",
    ],
    invalid: [
      "not a uri",
      "example",
      "",
      "https://exa mple.com",
      "http://h:x/",
      "http://h/%zz",
      ":a",
      "1a:b",
    ],
  },
  {
    format: "ipv4",
    valid: ["10.0.0.1", "010.0.0.1", "::ffff:10.0.0.1"],
    invalid: ["300.1.1.1", "10.0.0", "::1", "1.2.3.4.5"],
  },
  {
    format: "ipv6",
    valid: ["::1", "fe80::1:2", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1"],
    invalid: ["1:2:3", "1::2::3", "10.0.0.1", "g::1", "fe80::1%eth0"],
  },
  {
    format: "cidr",
    valid: ["10.0.0.0/8", "fe80::/10", "010.0.0.0/08"],
    invalid: ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"],
  },
  {
    format: "hostname",
    valid: ["a.example", "a-1", "localhost", "a-b-c.example", "1.example", "ä.example"],
    invalid: ["-a", "a..b", "a_b", "a-b-c", "a.1", `${"a".repeat(64)}.example`, ""],
  },
  {
    format: "mac",
    valid: ["01:23:45:67:89:ab", "01-23-45-67-89-AB", "0123.4567.89ab", "01:23:45:67:89:ab:cd:ef"],
    invalid: ["01:23:45:67:89", "01:23-45:67:89:ab", "0123.4567"],
  },
  { format: "byte", valid: ["YWI=", "YWJj", "YQ=="], invalid: ["!!", "YWI", "", "====", "Y==="] },
  {
    format: "duration",
    valid: ["0", "1h30m", "1.5s", "-2ms", "3 weeks", "3Days", "about 2 hours"],
    invalid: ["", "1", "h", "1x", "1 decade", "99999999999999999999 s"],
  },
  { format: "bsonobjectid", valid: ["507f1f77bcf86cd799439011"], invalid: ["507f1f77bcf86cd79943901"] },
  { format: "isbn", valid: ["0321751043", "978-0321751041"], invalid: ["0321751044", "978-0321751042"] },
  { format: "isbn10", valid: ["0-306-40615-2", "080442957X"], invalid: ["978-0321751041"] },
  { format: "isbn13", valid: ["978 0 306 40615 7"], invalid: ["0321751043"] },
  { format: "creditcard", valid: ["4111 1111 1111 1111"], invalid: ["4111 1111 1111 1112", "1234"] },
  { format: "ssn", valid: ["111-22-3333"], invalid: ["111223333", "111-22-333"] },
  { format: "hexcolor", valid: ["#fff", "A1B2C3"], invalid: ["#ffff", "red"] },
  {
    format: "rgbcolor",
    valid: ["rgb(0, 100,255)"],
    invalid: ["rgb(0,0)", "rgb(256,0,0)", "rgb(01,0,0)"],
  },
  { format: "password", valid: ["", "anything"], invalid: [] },
  { format: "k8s-short-name", valid: ["a", "a-1"], invalid: ["A", "-a", "a.b", "a".repeat(64)] },
  { format: "k8s-long-name", valid: ["a.b-c"], invalid: ["a..b", "A.b", "a".repeat(254)] },
])("$format", ({ format, valid, invalid }) => {
  const check = formatCheck(format);
  expect(valid.filter((text) => !check?.(text))).toEqual([]);
  expect(invalid.filter((text) => check?.(text))).toEqual([]);
});

// A format that looks at a text twice as often for each character more takes hours: the test's own time limit tells.
test("every format looks through a long text in linear time", () => {
  const parts = [
    "1",
    ".1",
    "a",
    "a.",
    "a-",
    ":",
    "1:",
    "a@",
    "AA",
    "2026-01-02T03:04:05.1",
    "1 d",
    "(",
    '"a',
    "%",
    "[",
  ];
  for (const text of parts.map((part) => `${part.repeat(100_000)}!`)) {
    for (const [name, check] of formats) expect(check(text), name).toBeTypeOf("boolean");
  }
});
