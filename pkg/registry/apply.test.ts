import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { KubeObject } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Storage } from "../storage/storage.ts";
import type { Registry, WriteOptions } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

/** A kind in two versions, of which the second knows a field more, owns `box` as one value, and has a status. */
function thingCrd({ boxType = "granular" } = {}): unknown {
  const schema = (extra: string) => `
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                text: {type: string}
                size: {type: integer, default: 5}
                replicas: {type: integer}
                box:
                  type: object
                  x-kubernetes-map-type: ${boxType}
                  properties: {width: {type: integer, default: 10}, height: {type: integer}}
                map: {type: object, additionalProperties: {type: string}}
                ${extra}
            status:
              type: object
              properties: {phase: {type: string}}`;
  const subresources =
    "{status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}";
  return parse(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.test.example}
spec:
  group: test.example
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing, listKind: ThingList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: ${subresources}
    schema:${schema("")}
  - name: v2
    served: true
    storage: false
    subresources: ${subresources}
    schema:${schema("more: {type: string}")}
`);
}

const things = "test.example/things";
const key = { namespace: "default", name: "a" };

interface World {
  readonly registry: Registry;
  apply(spec: object | undefined, manager: string, options?: ApplyOptions): Promise<KubeObject>;
  update(body: object, manager: string, options?: WriteOptions): Promise<KubeObject>;
}

interface ApplyOptions extends WriteOptions {
  readonly version?: string;
  readonly rest?: object;
}

async function open({ boxType = "granular", storage = new MemoryStorage() as Storage } = {}): Promise<World> {
  let seconds = 0;
  const { registry } = await openTestRegistry({
    storage,
    crds: [thingCrd({ boxType })],
    clock: { now: () => ++seconds * 1000, elapsed: () => 0, sleep: () => new Promise(() => {}) },
  });
  return {
    registry,
    async apply(spec, fieldManager, { version = "v1", rest = {}, ...options } = {}) {
      const head = { apiVersion: `test.example/${version}`, kind: "Thing", metadata: { name: "a" } };
      const config = { ...head, ...(spec === undefined ? {} : { spec }), ...rest };
      const resource = version === "v1" ? things : `${things}/${version}`;
      return (await registry.apply(resource, key, config, { fieldManager, ...options })).object;
    },
    update: (body, fieldManager, options) =>
      registry.patch(things, key, { type: "merge", body }, { fieldManager, ...options }),
  };
}

function owners({ metadata: { managedFields = [] } }: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    managedFields.map(({ manager, operation, subresource, fieldsV1 }) => [
      [manager, subresource, operation === "Update" ? "updates" : undefined].filter(Boolean).join(" "),
      fieldsV1,
    ]),
  );
}

async function refusal(write: Promise<unknown>): Promise<StatusError> {
  const error = await write.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StatusError);
  return error as StatusError;
}

describe("an apply", () => {
  test("makes an object that is not there, and says so", async () => {
    const { registry } = await open();
    const config = {
      apiVersion: "test.example/v1",
      kind: "Thing",
      metadata: { name: "a" },
      spec: { text: "x" },
    };
    const first = await registry.apply(things, key, config, { fieldManager: "m" });
    expect(first).toMatchObject({ created: true, object: { spec: { text: "x", size: 5 } } });
    expect(owners(first.object)).toEqual({ m: { "f:spec": { "f:text": {} } } });
    const second = await registry.apply(things, key, config, { fieldManager: "m" });
    expect(second).toEqual({ created: false, object: first.object });
    expect(second.object).toBe(first.object);
  });

  test("that only tries, tries on what is there", async () => {
    const { registry, apply } = await open();
    await apply({ text: "x" }, "m");
    const tried = await apply({ text: "y" }, "m", { dryRun: true });
    expect(tried).toMatchObject({ spec: { text: "y" } });
    expect(await registry.get(things, key)).toMatchObject({ spec: { text: "x" } });
  });

  test("gives a default back when it says no more of the field", async () => {
    const { apply } = await open();
    await apply({ size: 9 }, "m");
    const after = await apply({ text: "x" }, "m");
    expect(after.spec).toEqual({ text: "x", size: 5 });
    expect(owners(after)).toEqual({ m: { "f:spec": { "f:text": {} } } });
  });

  test("that changes nothing but through defaults moves no revision", async () => {
    const { apply } = await open({ boxType: "atomic" });
    const before = await apply({ box: { height: 1 } }, "m");
    // The whole of the box is said anew, without its default, which then comes back.
    expect(await apply({ box: { height: 1 } }, "m")).toBe(before);
  });

  test("of a status needs the object, and owns no spec", async () => {
    const { apply } = await open();
    const status = { rest: { status: { phase: "Up" } }, subresource: "status" } as const;
    expect(await refusal(apply({ text: "x" }, "s", status))).toMatchObject({ code: 404 });
    await apply({ text: "x" }, "m", { rest: { status: { phase: "Down" } } });
    const after = await apply({ text: "y" }, "s", status);
    expect(after).toMatchObject({ spec: { text: "x" }, status: { phase: "Up" } });
    expect(owners(after)).toEqual({
      m: { "f:spec": { "f:text": {} } },
      "s status": { "f:status": { "f:phase": {} } },
    });
  });

  test.each([
    ["another kind", { kind: "Other" }, 400, "invalid object type: test.example/v1, Kind=Other"],
    [
      "another version",
      { apiVersion: "test.example/v9" },
      400,
      "invalid object type: test.example/v9, Kind=Thing",
    ],
    ["no version at all", { apiVersion: "a/b/c" }, 400, "invalid object type: , Kind="],
    [
      "owners of its own",
      { metadata: { name: "a", managedFields: [] } },
      400,
      "metadata.managedFields must be nil",
    ],
    [
      "an unknown field",
      { spec: { bogus: 1 } },
      500,
      "failed to create typed patch object (/a; test.example/v1, Kind=Thing): .spec.bogus: field not declared in schema",
    ],
    [
      "a uid of no object",
      { metadata: { name: "a", uid: "u" } },
      409,
      'Operation cannot be fulfilled on things.test.example "a": uid mismatch: the provided object specified uid u, and no existing object was found',
    ],
    [
      "no name for a new object",
      { metadata: {} },
      400,
      "the name of the object (a based on URL) was undeterminable: name must be provided",
    ],
  ])("with %s is refused", async (_what, rest, code, message) => {
    const { apply } = await open();
    expect(await refusal(apply(undefined, "m", { rest }))).toMatchObject({ code, message });
  });
});

describe("before anybody applied", () => {
  test("what an object has that nobody is known to own belongs to one manager that nobody is", async () => {
    const { registry, apply } = await open();
    await apply({ text: "x", map: { a: "1" } }, "m");
    const forget = [{ op: "replace", path: "/metadata/managedFields", value: [{}] }];
    await registry.patch(things, key, { type: "json", body: forget });
    const conflict = await refusal(apply({ text: "y" }, "n"));
    expect(conflict.message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using test.example/v1: .spec.text',
    );
    expect(owners(await apply({ text: "x" }, "n"))).toEqual({
      n: { "f:spec": { "f:text": {} } },
      "before-first-apply updates": {
        "f:spec": { ".": {}, "f:map": { ".": {}, "f:a": {} }, "f:size": {}, "f:text": {} },
      },
    });
  });
});

describe("kubectl, which applied from its own side before", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const config = {
    apiVersion: "test.example/v1",
    kind: "Thing",
    metadata: { name: "a" },
    spec: { text: "x", size: 7 },
  };

  async function appliedByClient(): Promise<World> {
    const world = await open();
    const annotations = { [annotation]: JSON.stringify(config) };
    const object = { ...config, metadata: { name: "a", annotations } };
    await world.registry.create(things, "default", object, { fieldManager: "kubectl-client-side-apply" });
    return world;
  }

  test("takes over what it had set, and keeps the annotation true", async () => {
    const { apply } = await appliedByClient();
    const after = await apply({ text: "y" }, "kubectl");
    expect(after.spec).toEqual({ text: "y", size: 7 });
    expect(after.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"test.example/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"text":"y"}}\n',
    );
  });

  test("conflicts over what others changed since", async () => {
    const { apply, update } = await appliedByClient();
    await update({ spec: { text: "other" } }, "other");
    expect((await refusal(apply({ text: "y", size: 8 }, "kubectl"))).message).toBe(
      'Apply failed with 1 conflict: conflict with "other" using test.example/v1: .spec.text',
    );
  });

  test("is the only one who may", async () => {
    const { apply } = await appliedByClient();
    expect(await refusal(apply({ text: "y" }, "somebody"))).toMatchObject({ code: 409 });
  });
});

describe("an object that is served in several versions", () => {
  test("has owners of the versions they wrote", async () => {
    const { apply } = await open();
    await apply({ text: "x" }, "one");
    const after = await apply({ text: "x", size: 6 }, "two", { version: "v2" });
    expect(after.metadata.managedFields?.map(({ manager, apiVersion }) => [manager, apiVersion])).toEqual([
      ["one", "test.example/v1"],
      ["two", "test.example/v2"],
    ]);
  });

  test("conflicts across versions, and says which", async () => {
    const { apply, update } = await open();
    await apply({ text: "x" }, "one");
    await update({ spec: { text: "y" } }, "up");
    expect((await refusal(apply({ text: "z" }, "two", { version: "v2" }))).message).toBe(
      'Apply failed with 1 conflict: conflict with "up" using test.example/v1: .spec.text',
    );
    expect(owners(await apply({ text: "z" }, "two", { version: "v2", force: true }))).toEqual({
      two: { "f:spec": { "f:text": {} } },
    });
  });

  test("loses in one version what was applied in another", async () => {
    const { apply } = await open();
    await apply({ text: "x", map: { a: "1", b: "2" } }, "one");
    const after = await apply({ map: { a: "1" } }, "one", { version: "v2" });
    expect(after.spec).toEqual({ map: { a: "1" }, size: 5 });
    expect(owners(after)).toEqual({ one: { "f:spec": { "f:map": { "f:a": {} } } } });
  });

  test("be it an Event of either group", async () => {
    const { registry } = await open();
    const about = { apiVersion: "v1", kind: "Thing", name: "a", namespace: "default" };
    const at = "2026-01-02T03:04:05Z";
    const times = { firstTimestamp: at, lastTimestamp: at, count: 1 };
    const event = {
      metadata: { name: "e" },
      involvedObject: about,
      message: "old",
      reason: "R",
      type: "Normal",
    };
    const source = { source: { component: "c" } };
    await registry.create(
      "events",
      "default",
      { apiVersion: "v1", kind: "Event", ...event, ...times, ...source },
      {
        fieldManager: "core",
      },
    );
    const config = { apiVersion: "events.k8s.io/v1", kind: "Event", metadata: { name: "e" }, note: "new" };
    const at2 = { namespace: "default", name: "e" };
    expect(
      (await refusal(registry.apply("events.k8s.io/events", at2, config, { fieldManager: "n" }))).message,
    ).toBe('Apply failed with 1 conflict: conflict with "core" using v1: .message');
  });
});

test("who owned a part of what has become one value owns that value", async () => {
  const storage = new MemoryStorage();
  const before = await open({ storage });
  await before.apply({ box: { height: 1 } }, "m");
  const { apply } = await open({ storage, boxType: "atomic" });
  const conflict = await refusal(apply({ box: { height: 2 } }, "n"));
  expect(conflict.details?.causes?.map(({ field }) => field)).toEqual([".spec.box"]);
});

describe("an apply to a scale", () => {
  const scale = (replicas: number) => ({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "a" },
    spec: { replicas },
  });

  test("is an error where nobody owns the replicas, or where it changes them", async () => {
    const { registry, apply } = await open();
    const options = { fieldManager: "s", subresource: "scale", force: true } as const;
    await apply({ text: "x" }, "m");
    expect(await refusal(registry.apply(things, key, scale(2), options))).toMatchObject({ code: 500 });
    await apply({ replicas: 3 }, "n");
    expect(await refusal(registry.apply(things, key, scale(2), options))).toMatchObject({ code: 500 });
    const conflict = registry.apply(things, key, scale(2), { ...options, force: false });
    expect(await refusal(conflict)).toMatchObject({ code: 409 });
  });

  test("joins in owning replicas that stay", async () => {
    const { registry, apply } = await open();
    await apply({ replicas: 3 }, "m");
    await registry.apply(things, key, scale(3), { fieldManager: "s", subresource: "scale" });
    expect(owners(await registry.get(things, key))).toEqual({
      m: { "f:spec": { "f:replicas": {} } },
      "s scale": { "f:spec": { "f:replicas": {} } },
    });
  });
});

describe("whatever a client sends", () => {
  const anything = fc.jsonValue({ maxDepth: 4 });
  const words = fc.constantFrom("text", "size", "box", "map", "replicas", "width", "constructor", "a");
  const specs = fc.dictionary(words, fc.oneof(anything, fc.dictionary(words, anything)));

  test("an apply is admitted or refused, and never an accident", async () => {
    const { apply } = await open();
    await fc.assert(
      fc.asyncProperty(specs, anything, fc.boolean(), async (spec, metadata, force) => {
        const rest = { metadata: fc.stringify(metadata).length % 3 === 0 ? metadata : { name: "a" } };
        await apply(spec, "m", { rest, force }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(StatusError);
        });
      }),
      { numRuns: 300 },
    );
  });

  test("as managedFields is taken or passed over", async () => {
    const { registry, apply } = await open();
    await apply({ text: "x" }, "m");
    const elements = fc.constantFrom(
      "f:spec",
      "f:",
      "k:{}",
      'k:{"a":{"b":[1]}}',
      "v:[1,null]",
      "v:",
      "i:-1",
      "i:x",
      ".",
      "z:",
    );
    const fields = fc.letrec<{ fields: unknown }>((tie) => ({
      fields: fc.oneof({ maxDepth: 3 }, fc.constant({}), fc.dictionary(elements, tie("fields")), anything),
    })).fields;
    const entries = fc.record(
      {
        manager: fc.oneof(fc.string(), anything),
        operation: fc.constantFrom("Apply", "Update", "Delete"),
        apiVersion: fc.constantFrom("test.example/v1", "test.example/v2", "test.example/v0", ""),
        fieldsType: fc.constantFrom("FieldsV1", ""),
        fieldsV1: fields,
        subresource: fc.constantFrom("", "status", "scale"),
        time: fc.constantFrom("2026-01-02T03:04:05Z", "soon"),
      },
      { requiredKeys: ["operation", "apiVersion", "fieldsType"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entries, { maxLength: 3 }), fc.integer(), async (value, size) => {
        const body = [
          { op: "add", path: "/metadata/managedFields", value },
          { op: "add", path: "/spec/size", value: size },
        ];
        await registry.patch(things, key, { type: "json", body }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(StatusError);
        });
        await apply({ text: "x", size }, "m", { force: true });
      }),
      { numRuns: 300 },
    );
  });
});

test("what a person's file says belongs to the files", async () => {
  const { registry } = await open();
  const object = {
    apiVersion: "test.example/v1",
    kind: "Thing",
    metadata: { name: "a" },
    spec: { text: "x" },
  };
  await registry.transact([{ verb: "create", object: object as KubeObject }], []);
  expect(Object.keys(owners(await registry.get(things, key)))).toEqual(["bosun-files updates"]);
});
