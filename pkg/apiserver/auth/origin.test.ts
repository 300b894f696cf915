import { describe, expect, test } from "vitest";
import { namesOf, refusePages } from "./origin.ts";

const own = namesOf("127.0.0.1", 26543);
const host = "127.0.0.1:26543";

describe("what a web page may have sent is refused", () => {
  test.each<[name: string, headers: Record<string, string>, refused: boolean]>([
    ["kubectl", { host }, false],
    ["by name", { host: "LOCALHOST:26543" }, false],
    ["by IPv6", { host: "[::1]:26543" }, false],
    ["a typed address", { host, "sec-fetch-site": "none" }, false],
    ["no host", {}, true],
    ["another port", { host: "127.0.0.1:80" }, true],
    ["no port", { host: "127.0.0.1" }, true],
    ["a name that was rebound to this machine", { host: "evil.example:26543" }, true],
    ["a name that only begins so", { host: "localhost:26543.evil.example" }, true],
    ["a page", { host, origin: "https://evil.example" }, true],
    ["a page of a file or a sandbox", { host, origin: "null" }, true],
    ["a page of another port here", { host, origin: "http://127.0.0.1:8080" }, true],
    ["an image of a page", { host, "sec-fetch-site": "cross-site" }, true],
    ["a page of this machine", { host, "sec-fetch-site": "same-site" }, true],
  ])("%s", (_, headers, refused) => {
    const check = () => refusePages(headers, own);
    if (refused) expect(check).toThrow(expect.objectContaining({ code: 403, reason: "Forbidden" }));
    else expect(check).not.toThrow();
  });
});

test("a server that listens elsewhere may be asked by that address too", () => {
  expect(namesOf("192.0.2.7", 8443).has("192.0.2.7:8443")).toBe(true);
  expect(namesOf("fe80::1", 8443).has("[fe80::1]:8443")).toBe(true);
  expect(namesOf("127.0.0.1", 443).has("127.0.0.1")).toBe(true);
});
