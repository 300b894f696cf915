import { expect, test } from "vitest";
import { deletionGuard } from "./deletion-guard.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `p-${index}`);

test.each([
  { name: "one of twenty", missing: 1, total: 20, wantDeleted: 1 },
  { name: "five of twenty", missing: 5, total: 20, wantDeleted: 5 },
  { name: "six of twenty", missing: 6, total: 20, wantDeleted: 0 },
  { name: "half of four", missing: 2, total: 4, wantDeleted: 2 },
  { name: "three of four", missing: 3, total: 4, wantDeleted: 0 },
  { name: "the only one", missing: 1, total: 1, wantDeleted: 0 },
])(
  "$name missing for five seconds: $wantDeleted deleted, the others held",
  ({ missing, total, wantDeleted }) => {
    const guard = deletionGuard();
    const now = { missing: names(missing), total, head: "c1" };
    expect(guard.look({ ...now, elapsed: 0 })).toEqual({ delete: [], held: [], nextMs: 5000 });
    expect(guard.look({ ...now, elapsed: 4999 })).toEqual({ delete: [], held: [], nextMs: 1 });
    const verdict = guard.look({ ...now, elapsed: 5000 });
    expect(verdict.delete).toHaveLength(wantDeleted);
    expect(verdict.held).toHaveLength(missing - wantDeleted);
  },
);

test("what comes back in between starts anew", () => {
  const guard = deletionGuard();
  guard.look({ missing: ["a"], total: 9, head: "c1", elapsed: 0 });
  guard.look({ missing: [], total: 9, head: "c1", elapsed: 3000 });
  expect(guard.look({ missing: ["a"], total: 9, head: "c1", elapsed: 6000 })).toMatchObject({
    delete: [],
    nextMs: 5000,
  });
});

test("HEAD that moved before the files were seen to be gone counts as having moved meanwhile", () => {
  const guard = deletionGuard();
  guard.look({ missing: [], total: 9, head: "c1", elapsed: 0 });
  guard.look({ missing: ["a"], total: 9, head: "c2", elapsed: 1000 });
  expect(guard.look({ missing: ["a"], total: 9, head: "c2", elapsed: 9000 })).toMatchObject({
    delete: [],
    held: [{ id: "a", why: expect.stringContaining("HEAD") }],
  });
});
