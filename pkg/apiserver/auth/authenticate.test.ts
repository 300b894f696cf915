import { describe, expect, test } from "vitest";
import { tokenAuthenticator } from "./authenticate.ts";
import { admin, anonymous, reader, type User } from "./user.ts";

describe("a header tells who asks", () => {
  const identify = tokenAuthenticator({ admin: "s3cret", reader: "l00k" });
  test.each<[header: string | undefined, want: User | "refused"]>([
    ["Bearer s3cret", admin],
    ["bearer  s3cret ", admin],
    ["Bearer l00k", reader],
    [undefined, anonymous],
    ["", anonymous],
    ["Bearer", anonymous],
    ["Basic s3cret", anonymous],
    ["Bearer s3cre", "refused"],
    ["Bearer s3crets", "refused"],
    ["Bearer S3CRET", "refused"],
    ["Bearer s3cret\u00e4", "refused"],
  ])("%j", (header, want) => {
    if (want !== "refused") return expect(identify(header)).toBe(want);
    expect(() => identify(header)).toThrow(expect.objectContaining({ code: 401, reason: "Unauthorized" }));
  });
});
