import { expect, test } from "vitest";
import type { UsageLimit } from "../../pkg/gateway/money.ts";
import { aBudget, aWorkspace, NOW } from "../testing/objects.ts";
import { openWorld } from "../testing/world.ts";
import { usageController } from "./usage.ts";

const limit = (leftMs: number, model?: string): UsageLimit => ({
  ...{ untilMs: NOW + leftMs, leftMs },
  ...(model === undefined ? {} : { model }),
});

/** A gateway that says this, and what one look at it brings. */
async function open(first: readonly UsageLimit[] | undefined) {
  const gateway = { says: first };
  const world = await openWorld([aWorkspace(), aBudget()], {
    money: { usageLimits: async () => gateway.says },
  });
  const look = async () => {
    const key = { namespace: "default", name: "workspace" };
    const next = await usageController(world.deps).reconcile(key, new AbortController().signal);
    const { status } = await world.the("Workspace", "workspace");
    const limited = status?.conditions?.find(({ type }) => type === "UsageLimited");
    return { next, limits: status?.usageLimits, limited };
  };
  return { ...world, gateway, look };
}

test.each([
  { name: "the account", limits: [limit(900_000)], reason: "UsageLimited", wantMs: 600_000, said: [] },
  {
    name: "models",
    limits: [limit(900_000, "opus"), limit(60_000, "haiku")],
    ...{ reason: "ModelLimited", wantMs: 60_000, said: ["Warning ModelLimited"] },
  },
])("a limit of $name is said until it ends, and looked at then", async ({ limits, reason, wantMs, said }) => {
  const { look, gateway, ...world } = await open(limits);
  const first = await look();
  expect(first).toMatchObject({ next: { ms: wantMs }, limited: { status: "True", reason } });
  expect(first.limits).toHaveLength(limits.length);
  await look();
  expect(world.said).toEqual(said);
  // Unknown is not over.
  gateway.says = undefined;
  expect(await look()).toEqual({ ...first, next: { after: "ms", ms: 30_000 } });
  gateway.says = [];
  const last = await look();
  expect(last).toMatchObject({ next: { after: "change" }, limited: { status: "False" } });
  expect(last.limits).toBeUndefined();
});

test("of an account that never met a limit nothing is said", async () => {
  const { look } = await open([]);
  expect((await look()).limited).toBeUndefined();
});
