import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import type { ListOptions, ObjectList } from "./list.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const gizmos = "test.example/gizmos";

describe("a list", () => {
  test("is in the byte order of namespace and name, however the objects came", async () => {
    const { registry } = await openTestRegistry();
    for (const name of ["b2", "a1", "a10", "a-b", "a.b"]) await create(registry, name);
    expect(names(await registry.list(gizmos))).toEqual(["a-b", "a.b", "a1", "a10", "b2"]);
    await registry.delete(gizmos, { namespace: "default", name: "a1" });
    await create(registry, "a0");
    expect(names(await registry.list(gizmos))).toEqual(["a-b", "a.b", "a0", "a10", "b2"]);
  });

  test("in pages shows the first page's revision to its end, whatever happens meanwhile", async () => {
    const { registry } = await openTestRegistry();
    for (const name of ["a", "b", "c", "d"]) await create(registry, name, "old");
    const first = await registry.list(gizmos, { limit: 1 });
    expect(first.metadata).toMatchObject({ remainingItemCount: 3 });
    await create(registry, "bb", "new");
    await registry.delete(gizmos, { namespace: "default", name: "c" });
    const body = { spec: { text: "new" } };
    await registry.patch(gizmos, { namespace: "default", name: "d" }, { type: "merge", body });
    const rest = await registry.list(gizmos, { continue: first.metadata.continue });
    expect(rest.items.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ["b", { text: "old" }],
      ["c", { text: "old" }],
      ["d", { text: "old" }],
    ]);
    expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
  });

  test("of one namespace ends with a token that lies behind it", async () => {
    const { registry } = await openTestRegistry();
    for (const name of ["a", "b"]) await create(registry, name);
    const token = encodeContinue({ revision: -1, start: "zoo/x" });
    expect(await registry.list(gizmos, { namespace: "default", limit: 1, continue: token })).toEqual({
      metadata: { resourceVersion: registry.revision },
      items: [],
    });
  });

  test("with a selector counts no rest, and its pages hold what is selected", async () => {
    const { registry } = await openTestRegistry();
    for (const name of ["a", "b", "c"]) await create(registry, name);
    const options = { fieldSelector: "metadata.name!=b", limit: 1 };
    const first = await registry.list(gizmos, options);
    expect(first.metadata.remainingItemCount).toBeUndefined();
    const second = await registry.list(gizmos, { ...options, continue: first.metadata.continue });
    expect([...names(first), ...names(second)]).toEqual(["a", "c"]);
  });

  test.each<{ name: string; options: ListOptions; want: object }>([
    {
      name: "a revision yet to come",
      options: { resourceVersion: "999", resourceVersionMatch: "NotOlderThan" },
      want: {
        code: 504,
        reason: "Timeout",
        message: expect.stringContaining("Too large resource version: 999"),
      },
    },
    {
      name: "no revision",
      options: { resourceVersion: "-1" },
      want: {
        code: 400,
        message:
          'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
      },
    },
    {
      name: "a token that is none",
      options: { continue: "bogus" },
      want: {
        code: 400,
        message: "invalid continue token: continue key is not valid: illegal base64 data at input byte 4",
      },
    },
    {
      name: "a token of no version",
      options: { continue: "e30" },
      want: {
        code: 400,
        message:
          "invalid continue token: continue key is not valid: server does not recognize this encoded version ",
      },
    },
    {
      name: "a token with a revision beside it",
      options: { continue: encodeContinue({ revision: 1, start: "x" }), resourceVersion: "1" },
      want: { code: 400, message: "specifying resource version is not allowed when using continue" },
    },
  ])("of $name is refused", async ({ options, want }) => {
    const { registry } = await openTestRegistry();
    await expect(registry.list(gizmos, options)).rejects.toMatchObject(want);
  });

  test("of a revision that is no longer known is Expired; a token comes back to go on regardless", async () => {
    const { registry, settle } = await openTestRegistry({ historyLimit: 1 });
    for (const name of ["a", "b", "c"]) await create(registry, name);
    const first = await registry.list(gizmos, { limit: 1 });
    for (const name of ["d", "e", "f", "g"]) await create(registry, name);
    await settle();
    const { resourceVersion } = first.metadata;
    await expect(
      registry.list(gizmos, { resourceVersion, resourceVersionMatch: "Exact" }),
    ).rejects.toMatchObject({
      code: 410,
      reason: "Expired",
      message: "The resourceVersion for the provided list is too old.",
    });
    const error = await registry
      .list(gizmos, { continue: first.metadata.continue })
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 410, reason: "Expired" });
    const rest = await registry.list(gizmos, { continue: error.metadata.continue });
    expect(names(rest)).toEqual(["b", "c", "d", "e", "f", "g"]);
    expect(rest.metadata.resourceVersion).toBe(registry.revision);
  });
});

test("every page of every revision that is kept is what was listed then", async () => {
  const steps = fc.array(fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), text: fc.nat(3) }), {
    maxLength: 25,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (writes, limit) => {
      const { registry } = await openTestRegistry();
      const seen: ObjectList[] = [await registry.list(gizmos)];
      const tokens: (string | undefined)[] = [(await registry.list(gizmos, { limit })).metadata.continue];
      for (const { name, text } of writes) {
        await toggle(registry, name, text);
        seen.push(await registry.list(gizmos));
        tokens.push((await registry.list(gizmos, { limit })).metadata.continue);
      }
      for (const [i, list] of seen.entries()) {
        const { resourceVersion } = list.metadata;
        const exact = { resourceVersion, resourceVersionMatch: "Exact" as const };
        expect((await registry.list(gizmos, exact)).items).toEqual(list.items);
        const paged = list.items.slice(0, limit);
        for (let token = tokens[i]; token !== undefined; ) {
          const page = await registry.list(gizmos, { limit, continue: token });
          expect(page.metadata.resourceVersion).toBe(resourceVersion);
          paged.push(...page.items);
          token = page.metadata.continue;
        }
        expect(paged).toEqual(list.items);
      }
    }),
    { numRuns: 100 },
  );
});

test("a token says what was put into it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.string({ minLength: 1 }), (revision, start) => {
      expect(decodeContinue(encodeContinue({ revision, start }))).toEqual({ revision, start });
    }),
  );
});

/** Creates what is not there; else deletes it, or changes it when `text` is not 0. */
async function toggle(registry: Registry, name: string, text: number): Promise<void> {
  const key = { namespace: "default", name };
  const { items } = await registry.list(gizmos, { fieldSelector: `metadata.name=${name}` });
  if (items.length === 0) await create(registry, name, String(text));
  else if (text === 0) await registry.delete(gizmos, key);
  else await registry.patch(gizmos, key, { type: "merge", body: { spec: { text: String(text) } } });
}

async function create(registry: Registry, name: string, text?: string): Promise<void> {
  const spec = text === undefined ? {} : { spec: { text } };
  const object = { apiVersion: "test.example/v1", kind: "Gizmo", metadata: { name }, ...spec };
  await registry.create(gizmos, "default", object);
}

function names({ items }: ObjectList): string[] {
  return items.map(({ metadata }) => metadata.name);
}
