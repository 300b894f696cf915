/**
 * The garbage collector against its rules applied to everything, over and over, until they change nothing more: what the
 * collector, which looks only at what a change may concern, has done once it is at rest is the same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject, OwnerReference } from "../api/meta.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";
const hold = "test.example/hold";

type Policy = "Background" | "Foreground" | "Orphan";

/** By name; an owner that does not exist is one that is gone. */
type Owners = readonly { name: string; blocks: boolean }[];

type Step =
  | { do: "create"; name: string; owners: Owners; held: boolean; finalizer: Collecting }
  | { do: "own"; name: string; owners: Owners }
  | { do: "release"; name: string }
  | { do: "delete"; name: string; policy: Policy | undefined }
  | { do: "restart" };

/** The finalizer that tells the collector what to do first. */
type Collecting = "orphan" | "foregroundDeletion" | undefined;

interface Modelled {
  readonly uid: string;
  readonly name: string;
  owners: readonly { uid: string; blocks: boolean }[];
  held: boolean;
  collecting: Collecting;
  deleting: boolean;
}

const name = fc.constantFrom("a", "b", "c", "d", "e");
const owners = fc.uniqueArray(fc.record({ name, blocks: fc.boolean() }), {
  maxLength: 3,
  selector: (owner) => owner.name,
});
const finalizer = fc.constantFrom<Collecting>(
  undefined,
  undefined,
  undefined,
  "orphan",
  "foregroundDeletion",
);
const policy = fc.constantFrom<Policy | undefined>(undefined, "Background", "Foreground", "Orphan");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("create" as const), name, owners, held: fc.boolean(), finalizer }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("own" as const), name, owners }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("release" as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), name, policy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

test("the collector comes to rest where its rules do", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const storage = new MemoryStorage();
      let uids = 0;
      const ids = { uuid: () => `uid-${++uids}` };
      let opened = await openTestRegistry({ storage, ids });
      const model = new Model();
      for (const next of steps) {
        if (next.do === "restart") opened = await openTestRegistry({ storage, ids });
        else await apply(opened.registry, next, model);
        await opened.settle();
        model.collect();
        expect(await state(opened.registry)).toEqual(model.state());
      }
    }),
    { numRuns: 200 },
  );
});

test("at rest the rules have nothing left to do, however many writes came before the collector did", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const storage = new MemoryStorage();
      let uids = 0;
      const ids = { uuid: () => `uid-${++uids}` };
      let opened = await openTestRegistry({ storage, ids });
      for (const next of steps) {
        if (next.do === "restart") opened = await openTestRegistry({ storage, ids });
        else await apply(opened.registry, next, new Model(await state(opened.registry)));
      }
      await opened.settle();
      const model = new Model(await state(opened.registry));
      model.collect();
      expect(await state(opened.registry)).toEqual(model.state());
    }),
    { numRuns: 200 },
  );
});

class Model {
  readonly #objects = new Map<string, Modelled>();

  constructor(objects: readonly Modelled[] = []) {
    for (const object of objects) this.#objects.set(object.uid, object);
  }

  byName(name: string): Modelled | undefined {
    return this.#all().find((object) => object.name === name);
  }

  put(object: Modelled): void {
    this.#objects.set(object.uid, object);
  }

  release(object: Modelled): void {
    object.held = false;
    this.#letGo(object);
  }

  delete(object: Modelled, policy: Policy | undefined): void {
    if (policy !== undefined)
      object.collecting = (
        { Orphan: "orphan", Foreground: "foregroundDeletion", Background: undefined } as const
      )[policy];
    object.deleting = true;
    this.#letGo(object);
  }

  collect(): void {
    let before: string;
    do {
      before = JSON.stringify(this.#all());
      for (const object of this.#all()) if (this.#objects.has(object.uid)) this.#examine(object);
    } while (JSON.stringify(this.#all()) !== before);
  }

  state(): unknown[] {
    return this.#all().sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #all(): Modelled[] {
    return [...this.#objects.values()];
  }

  #examine(object: Modelled): void {
    const dependents = this.#all().filter(({ owners }) => owners.some(({ uid }) => uid === object.uid));
    if (object.deleting) {
      if (object.collecting === "orphan") {
        for (const each of dependents) each.owners = each.owners.filter(({ uid }) => uid !== object.uid);
      } else if (object.collecting === "foregroundDeletion") {
        const isBlocking = ({ owners }: Modelled) =>
          owners.some(({ uid, blocks }) => uid === object.uid && blocks);
        if (dependents.some(isBlocking)) return;
        for (const each of dependents) if (!each.deleting) this.#examine(each);
      }
      object.collecting = undefined;
      this.#letGo(object);
      return;
    }
    if (object.owners.length === 0) return;
    const found = object.owners.map(({ uid }) => this.#objects.get(uid));
    const solid = object.owners.filter((_, i) => found[i] !== undefined && !isWaiting(found[i]));
    if (solid.length > 0) object.owners = solid;
    else if (found.some((owner) => owner !== undefined) && dependents.length > 0) {
      // Of a circle that waits for itself nothing would ever go.
      if (dependents.some(isWaiting))
        object.owners = object.owners.map(({ uid }) => ({ uid, blocks: false }));
      this.delete(object, "Foreground");
    } else this.delete(object, object.collecting === undefined ? "Background" : undefined);
  }

  #letGo(object: Modelled): void {
    if (object.deleting && !object.held && object.collecting === undefined) this.#objects.delete(object.uid);
  }
}

function isWaiting({ deleting, collecting }: Modelled): boolean {
  return deleting && collecting === "foregroundDeletion";
}

async function apply(
  registry: Registry,
  next: Exclude<Step, { do: "restart" }>,
  model: Model,
): Promise<void> {
  const key = { namespace: "default", name: next.name };
  const object = model.byName(next.name);
  if (next.do === "create") {
    if (object !== undefined) return;
    const finalizers = [
      ...(next.held ? [hold] : []),
      ...(next.finalizer === undefined ? [] : [next.finalizer]),
    ];
    const ownerReferences = references(next.owners, model);
    const created = await registry.create(widgets, "default", {
      apiVersion: "test.example/v1",
      kind: "Widget",
      metadata: { name: next.name, finalizers, ownerReferences },
      spec: { size: 1 },
    });
    model.put(modelled(created));
    return;
  }
  if (object === undefined) return;
  switch (next.do) {
    case "own": {
      const ownerReferences = references(next.owners, model);
      await registry.patch(widgets, key, { type: "merge", body: { metadata: { ownerReferences } } });
      object.owners = ownerReferences.map(({ uid, blockOwnerDeletion }) => ({
        uid,
        blocks: blockOwnerDeletion === true,
      }));
      return;
    }
    case "release": {
      const finalizers = object.collecting === undefined ? [] : [object.collecting];
      await registry.patch(widgets, key, { type: "merge", body: { metadata: { finalizers } } });
      model.release(object);
      return;
    }
    case "delete":
      await registry.delete(
        widgets,
        key,
        next.policy === undefined ? {} : { propagationPolicy: next.policy },
      );
      model.delete(object, next.policy);
  }
}

function references(owners: Owners, model: Model): OwnerReference[] {
  return owners.map(({ name, blocks }) => ({
    apiVersion: "test.example/v1",
    kind: "Widget",
    name,
    uid: model.byName(name)?.uid ?? "gone",
    blockOwnerDeletion: blocks,
  }));
}

async function state(registry: Registry): Promise<Modelled[]> {
  return (await registry.list(widgets)).items.map(modelled);
}

function modelled({ metadata }: KubeObject): Modelled {
  const finalizers = metadata.finalizers ?? [];
  return {
    uid: metadata.uid ?? "",
    name: metadata.name,
    owners: (metadata.ownerReferences ?? []).map(({ uid, blockOwnerDeletion }) => ({
      uid,
      blocks: blockOwnerDeletion === true,
    })),
    held: finalizers.includes(hold),
    collecting: finalizers.find((each): each is "orphan" | "foregroundDeletion" => each !== hold),
    deleting: metadata.deletionTimestamp !== undefined,
  };
}
