import { expect, test } from "vitest";
import { TransientError } from "../runtime/errors.ts";
import { tellingDiskFull } from "./disk-full.ts";

const failing = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(`${code}: it failed`), { code });
};

test("a full disk is told as what passes when somebody frees space, and anything else as it is", async () => {
  const part = tellingDiskFull(
    {
      ...{
        full: failing("ENOSPC"),
        overQuota: failing("EDQUOT"),
        broken: failing("EIO"),
        well: async () => 1,
      },
      ...{ name: "part", atOnce: () => 2 },
    },
    "/state",
  );
  for (const method of [part.full, part.overQuota]) {
    const error = await method().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({ reason: "DiskFull", message: expect.stringContaining("/state") });
  }
  await expect(part.broken()).rejects.toThrow("EIO");
  expect(await part.well()).toBe(1);
  expect([part.name, part.atOnce()]).toEqual(["part", 2]);
});
