/**
 * What every Client promises, whether it calls the registry in its own process or an API server over HTTP. Run it on
 * each implementation and each storage, so that controllers need not know which one they have.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject, ObjectKey } from "../../pkg/api/meta.ts";
import {
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  StatusError,
} from "../../pkg/api/status-error.ts";
import type {
  Client,
  DeleteOptions,
  List,
  ListOptions,
  MergePatch,
  PatchOptions,
  WatchEvent,
  WatchOptions,
} from "../../pkg/runtime/client.ts";

export interface ClientUnderTest {
  /** Serves the kinds of `pkg/registry/testing/widget.ts`, with no object of theirs. */
  readonly client: Client;
  close(): Promise<void>;
}

/** `Client` over kinds that only tests have. */
interface AnyClient {
  get(kind: string, key: ObjectKey): Promise<KubeObject | undefined>;
  list(kind: string, options?: ListOptions): Promise<List<KubeObject>>;
  watch(kind: string, options: WatchOptions): AsyncIterable<WatchEvent<KubeObject>>;
  create(kind: string, object: KubeObject): Promise<KubeObject>;
  update(kind: string, object: KubeObject): Promise<KubeObject>;
  updateStatus(kind: string, object: KubeObject): Promise<KubeObject>;
  patch(kind: string, key: ObjectKey, patch: MergePatch, options?: PatchOptions): Promise<KubeObject>;
  delete(kind: string, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}

export function clientContract(name: string, makeClient: () => Promise<ClientUnderTest>): void {
  describe(`${name} as a Client`, () => {
    let client: AnyClient;
    let underTest: ClientUnderTest;
    beforeEach(async () => {
      underTest = await makeClient();
      client = underTest.client as unknown as AnyClient;
    });
    afterEach(() => underTest.close());

    describe("creating", () => {
      test("a new object gets a uid, a revision, generation 1, a time and its defaults", async () => {
        const created = await client.create("Widget", widget("a", { color: "blue" }));
        expect(created).toMatchObject({
          apiVersion: "test.example/v1",
          kind: "Widget",
          metadata: { name: "a", namespace: "default", generation: 1 },
          spec: { color: "blue", size: 5, replicas: 1 },
        });
        expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(created.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
        expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(await client.get("Widget", key("a"))).toEqual(created);
      });

      test("unknown fields and the status of a new object are dropped", async () => {
        const created = await client.create("Widget", {
          ...widget("a", { bogus: 1, free: { any: { thing: 1 } } }),
          status: { phase: "Running" },
        });
        expect(created.spec).toEqual({ color: "red", size: 5, replicas: 1, free: { any: { thing: 1 } } });
        expect(created.status).toBeUndefined();
      });

      test("generateName gives different names with the prefix", async () => {
        const draft = { ...widget(""), metadata: { name: "", generateName: "w-" } };
        const first = await client.create("Widget", draft);
        const second = await client.create("Widget", draft);
        expect(first.metadata.name).toMatch(/^w-[a-z0-9]{5}$/);
        expect(second.metadata.name).not.toBe(first.metadata.name);
      });

      test("a name that is taken is AlreadyExists", async () => {
        await client.create("Widget", widget("a"));
        const error = await failure(client.create("Widget", widget("a")));
        expect(isAlreadyExists(error)).toBe(true);
        expect(error).toMatchObject({
          code: 409,
          message: 'widgets.test.example "a" already exists',
          details: { name: "a", group: "test.example", kind: "widgets" },
        });
      });

      test("an invalid object is Invalid with a cause for each field, and is not stored", async () => {
        const error = await failure(client.create("Widget", widget("a", { size: 0, code: "x" })));
        expect(error).toMatchObject({ code: 422, reason: "Invalid", details: { name: "a", kind: "Widget" } });
        // A kube-apiserver names them in any order.
        const causes = error.details?.causes?.toSorted((a, b) =>
          (a.field ?? "") < (b.field ?? "") ? -1 : 1,
        );
        expect(causes).toEqual([
          {
            reason: "FieldValueInvalid",
            message: `Invalid value: "x": spec.code in body should match '^[a-z]{2}-[0-9]+$'`,
            field: "spec.code",
          },
          {
            reason: "FieldValueInvalid",
            message: "Invalid value: 0: spec.size in body should be greater than or equal to 1",
            field: "spec.size",
          },
        ]);
        expect(await client.get("Widget", key("a"))).toBeUndefined();
      });

      test("what a rule forbids is Invalid with the rule's message", async () => {
        const error = await failure(client.create("Widget", widget("a", { low: 2, high: 1 })));
        expect(error.message).toBe(
          'Widget.test.example "a" is invalid: spec: Invalid value: low may not exceed high',
        );
      });

      test("a namespace that does not exist is NotFound", async () => {
        const draft = { ...widget("a"), metadata: { name: "a", namespace: "nowhere" } };
        const error = await failure(client.create("Widget", draft));
        expect(isNotFound(error)).toBe(true);
        expect(error.message).toBe('namespaces "nowhere" not found');
      });
    });

    describe("reading", () => {
      test("what is not there is undefined", async () => {
        expect(await client.get("Widget", key("none"))).toBeUndefined();
      });

      test("a list has every object and a revision not below theirs", async () => {
        for (const name of ["b", "a", "c"]) await client.create("Widget", widget(name));
        const { items, metadata } = await client.list("Widget", { namespace: "default" });
        expect(items.map((item) => item.metadata.name)).toEqual(["a", "b", "c"]);
        const newest = Math.max(...items.map((item) => Number(item.metadata.resourceVersion)));
        expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(newest);
      });

      test.each([
        { selector: "app=x", wantNames: ["a"] },
        { selector: "app!=x", wantNames: ["b", "c"] },
        { selector: "app in (x,y)", wantNames: ["a", "b"] },
        { selector: "app notin (x)", wantNames: ["b", "c"] },
        { selector: "app", wantNames: ["a", "b"] },
        { selector: "!app", wantNames: ["c"] },
        { selector: "app,tier=front", wantNames: ["b"] },
      ])("the label selector $selector selects $wantNames", async ({ selector, wantNames }) => {
        await client.create("Widget", labelled("a", { app: "x" }));
        await client.create("Widget", labelled("b", { app: "y", tier: "front" }));
        await client.create("Widget", labelled("c", {}));
        const { items } = await client.list("Widget", { labelSelector: selector });
        expect(items.map((item) => item.metadata.name)).toEqual(wantNames);
      });

      test("objects cannot be changed by who reads them", async () => {
        const created = await client.create("Widget", widget("a"));
        const read = await client.get("Widget", key("a"));
        const listed = (await client.list("Widget")).items[0];
        for (const object of [created, read, listed]) {
          expect(Object.isFrozen(object)).toBe(true);
          expect(() => Object.assign(object?.spec as object, { color: "green" })).toThrow(TypeError);
          expect(() => Object.assign(object?.metadata as object, { name: "b" })).toThrow(TypeError);
        }
      });

      test("an object handed in stays its owner's to change", async () => {
        const draft = widget("a", { parts: [{ name: "x" }] });
        await client.create("Widget", draft);
        (draft.spec as { parts: { name: string }[] }).parts[0] = { name: "changed" };
        expect((await client.get("Widget", key("a")))?.spec).toMatchObject({ parts: [{ name: "x" }] });
      });
    });

    describe("updating", () => {
      test("an update with the revision that was read is written and counts a generation", async () => {
        const created = await client.create("Widget", widget("a"));
        const updated = await client.update("Widget", { ...created, spec: { color: "green" } });
        expect(updated.metadata.generation).toBe(2);
        expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(
          Number(created.metadata.resourceVersion),
        );
        expect(updated.spec).toEqual({ color: "green", size: 5, replicas: 1 });
      });

      test("an update with an older revision is a Conflict and changes nothing", async () => {
        const created = await client.create("Widget", widget("a"));
        const updated = await client.update("Widget", { ...created, spec: { size: 7 } });
        const error = await failure(client.update("Widget", { ...created, spec: { size: 8 } }));
        expect(isConflict(error)).toBe(true);
        expect(error.message).toBe(
          'Operation cannot be fulfilled on widgets.test.example "a": the object has been modified; please apply your changes to the latest version and try again',
        );
        expect(await client.get("Widget", key("a"))).toEqual(updated);
      });

      test("of ten updates from the same revision exactly one wins", async () => {
        const created = await client.create("Widget", widget("a"));
        const results = await Promise.allSettled(
          Array.from({ length: 10 }, (_, i) =>
            client.update("Widget", { ...created, spec: { size: i + 10 } }),
          ),
        );
        const won = results.filter((result) => result.status === "fulfilled");
        expect(won).toHaveLength(1);
        for (const result of results)
          if (result.status === "rejected") expect(isConflict(result.reason)).toBe(true);
        expect(await client.get("Widget", key("a"))).toEqual(won[0]?.value);
      });

      test("an update without a revision is refused", async () => {
        await client.create("Widget", widget("a"));
        const error = await failure(client.update("Widget", widget("a", { size: 7 })));
        expect(error).toMatchObject({ code: 422, reason: "Invalid" });
        expect(error.message).toContain(
          "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
        );
      });

      test("labels alone do not count a generation, and status is not the update's to change", async () => {
        const created = await client.create("Widget", widget("a"));
        const updated = await client.update("Widget", {
          ...created,
          metadata: { ...created.metadata, labels: { app: "x" } },
          status: { phase: "Running" },
        });
        expect(updated.metadata).toMatchObject({ generation: 1, labels: { app: "x" } });
        expect(updated.status).toBeUndefined();
      });

      test("uid, creation time and generation cannot be set", async () => {
        const created = await client.create("Widget", widget("a"));
        const updated = await client.update("Widget", {
          ...created,
          metadata: { ...created.metadata, generation: 9, creationTimestamp: "2001-01-01T00:00:00Z" },
        });
        expect(updated).toEqual(created);
      });

      test("an update of an object that is gone is no update of its successor, whatever revision it names", async () => {
        const { metadata } = await client.create("Widget", widget("a"));
        await client.delete("Widget", key("a"));
        const successor = await client.create("Widget", widget("a"));
        const { uid } = metadata;
        const update = { ...successor, metadata: { ...successor.metadata, uid }, spec: { size: 9 } };
        expect(await failure(client.update("Widget", update))).toMatchObject({
          reason: "Conflict",
          message: expect.stringContaining(`UID in precondition: ${uid}`),
        });
        expect(await client.get("Widget", key("a"))).toEqual(successor);
      });

      test("an immutable field may not change", async () => {
        const created = await client.create("Widget", widget("a", { serial: "one" }));
        const error = await failure(client.update("Widget", { ...created, spec: { serial: "two" } }));
        expect(error.message).toBe(
          'Widget.test.example "a" is invalid: spec.serial: Invalid value: "two": serial is immutable',
        );
      });
    });

    describe("patching", () => {
      test("a merge patch merges objects, replaces lists and deletes by null", async () => {
        await client.create("Widget", widget("a", { code: "ab-1", tags: ["x", "y"], size: 7 }));
        const patched = await client.patch("Widget", key("a"), { spec: { code: null, tags: ["z"] } });
        expect(patched.spec).toEqual({ color: "red", replicas: 1, size: 7, tags: ["z"] });
        expect(patched.metadata.generation).toBe(2);
      });

      test("a patch that changes nothing writes nothing", async () => {
        const created = await client.create("Widget", widget("a", { size: 7 }));
        expect(await client.patch("Widget", key("a"), { spec: { size: 7 } })).toEqual(created);
      });

      test("a revision within the patch is a precondition", async () => {
        const created = await client.create("Widget", widget("a"));
        const { resourceVersion } = created.metadata;
        await client.patch("Widget", key("a"), { metadata: { resourceVersion }, spec: { size: 7 } });
        const error = await failure(
          client.patch("Widget", key("a"), { metadata: { resourceVersion }, spec: { size: 8 } }),
        );
        expect(isConflict(error)).toBe(true);
      });

      test("what is not there cannot be patched", async () => {
        expect(isNotFound(await failure(client.patch("Widget", key("none"), { spec: {} })))).toBe(true);
      });

      test("a status patch changes the status alone and counts no generation", async () => {
        await client.create("Widget", widget("a"));
        const patch = { spec: { size: 9 }, status: { replicas: 2 } };
        const patched = await client.patch("Widget", key("a"), patch, { subresource: "status" });
        expect(patched.spec).toMatchObject({ size: 5 });
        expect(patched.status).toEqual({ phase: "Pending", replicas: 2 });
        expect(patched.metadata.generation).toBe(1);
        const main = await client.patch("Widget", key("a"), { status: { replicas: 7 } });
        expect(main.status).toEqual({ phase: "Pending", replicas: 2 });
      });

      test("updateStatus replaces the status and refuses an older revision", async () => {
        const created = await client.create("Widget", widget("a"));
        const updated = await client.updateStatus("Widget", { ...created, status: { phase: "Running" } });
        expect(updated.status).toEqual({ phase: "Running" });
        const error = await failure(client.updateStatus("Widget", { ...created, status: { phase: "Lost" } }));
        expect(isConflict(error)).toBe(true);
      });

      test("a scale patch sets the replicas within their bounds", async () => {
        await client.create("Widget", widget("a"));
        await client.patch("Widget", key("a"), { spec: { replicas: 3 } }, { subresource: "scale" });
        expect((await client.get("Widget", key("a")))?.spec).toMatchObject({ replicas: 3 });
        const tooMany = client.patch(
          "Widget",
          key("a"),
          { spec: { replicas: 11 } },
          { subresource: "scale" },
        );
        expect((await failure(tooMany)).reason).toBe("Invalid");
      });
    });

    describe("deleting", () => {
      test("an object without finalizers is gone; a second deletion is NotFound", async () => {
        await client.create("Widget", widget("a"));
        await client.delete("Widget", key("a"));
        expect(await client.get("Widget", key("a"))).toBeUndefined();
        expect(isNotFound(await failure(client.delete("Widget", key("a"))))).toBe(true);
      });

      test("with a finalizer it stays, marked, until the finalizer is taken off", async () => {
        const draft = widget("a");
        await client.create("Widget", {
          ...draft,
          metadata: { name: "a", finalizers: ["test.example/hold"] },
        });
        await client.delete("Widget", key("a"));
        await client.delete("Widget", key("a"));
        const held = await client.get("Widget", key("a"));
        expect(held?.metadata.deletionTimestamp).toBeDefined();
        expect(held?.metadata.generation).toBe(2);

        const another = client.patch("Widget", key("a"), { metadata: { finalizers: ["test.example/more"] } });
        expect((await failure(another)).message).toContain("no new finalizers can be added");

        await client.patch("Widget", key("a"), { metadata: { finalizers: null } });
        expect(await client.get("Widget", key("a"))).toBeUndefined();
      });

      test("a precondition that does not hold keeps the object", async () => {
        const created = await client.create("Widget", widget("a"));
        const uid = "00000000-0000-0000-0000-000000000000";
        const wrongUid = await failure(client.delete("Widget", key("a"), { preconditions: { uid } }));
        expect(isConflict(wrongUid)).toBe(true);
        await client.patch("Widget", key("a"), { spec: { size: 7 } });
        const { resourceVersion = "" } = created.metadata;
        const stale = await failure(
          client.delete("Widget", key("a"), { preconditions: { resourceVersion } }),
        );
        expect(isConflict(stale)).toBe(true);
        expect(await client.get("Widget", key("a"))).toBeDefined();
      });

      // A cluster's garbage collector looks for new kinds every half minute.
      test("what a deleted object owned is deleted too", async () => {
        const owner = await client.create("Widget", widget("a"));
        const { resourceVersion } = owner.metadata;
        await client.create("Gizmo", {
          apiVersion: "test.example/v1",
          kind: "Gizmo",
          metadata: {
            name: "owned",
            ownerReferences: [
              { apiVersion: "test.example/v1", kind: "Widget", name: "a", uid: owner.metadata.uid ?? "" },
            ],
          },
        });
        const events = following(client, "Gizmo", { resourceVersion: resourceVersion ?? "" });
        await client.delete("Widget", key("a"));
        expect(await events.take(2)).toEqual(["ADDED owned", "DELETED owned"]);
        await events.end();
      }, 180_000);
    });

    describe("watching", () => {
      test("each write is one event, in order, after the revision asked for", async () => {
        await client.create("Widget", widget("before"));
        const { metadata } = await client.list("Widget");
        const events = following(client, "Widget", metadata);
        await client.create("Widget", widget("a"));
        await client.patch("Widget", key("a"), { spec: { size: 7 } });
        await client.patch("Widget", key("a"), { spec: { size: 7 } });
        await client.patch("Widget", key("a"), { status: { replicas: 1 } }, { subresource: "status" });
        await client.delete("Widget", key("a"));
        expect(await events.take(4)).toEqual(["ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a"]);
        expect(events.revisions).toEqual([...events.revisions].sort((a, b) => a - b));
        expect(new Set(events.revisions).size).toBe(4);
        await events.end();
      });

      test("a watch that starts late replays what it missed", async () => {
        const { metadata } = await client.list("Widget");
        await client.create("Widget", widget("a"));
        await client.delete("Widget", key("a"));
        await client.create("Widget", widget("b"));
        const events = following(client, "Widget", metadata);
        expect(await events.take(3)).toEqual(["ADDED a", "DELETED a", "ADDED b"]);
        await events.end();
      });

      test("coming to match a selector is ADDED, no longer matching is DELETED", async () => {
        const { metadata } = await client.list("Widget");
        const events = following(client, "Widget", metadata, { labelSelector: "app=x" });
        await client.create("Widget", labelled("a", {}));
        await client.patch("Widget", key("a"), { metadata: { labels: { app: "x" } } });
        await client.patch("Widget", key("a"), { spec: { size: 7 } });
        await client.patch("Widget", key("a"), { metadata: { labels: { app: "y" } } });
        await client.delete("Widget", key("a"));
        await client.create("Widget", labelled("b", { app: "x" }));
        expect(await events.take(4)).toEqual(["ADDED a", "MODIFIED a", "DELETED a", "ADDED b"]);
        await events.end();
      });

      test("aborting ends the iteration", async () => {
        const { metadata } = await client.list("Widget");
        const events = following(client, "Widget", metadata);
        await client.create("Widget", widget("a"));
        await events.take(1);
        await expect(events.end()).resolves.toBeUndefined();
      });
    });
  });
}

/** Follows a watch from now on, without waiting for who looks at what came. */
function following(
  client: AnyClient,
  kind: string,
  { resourceVersion }: { resourceVersion: string },
  options: ListOptions = {},
) {
  const controller = new AbortController();
  const seen: string[] = [];
  const revisions: number[] = [];
  let wake: () => void = () => {};
  const done = (async () => {
    for await (const event of client.watch(kind, {
      ...options,
      resourceVersion,
      signal: controller.signal,
    })) {
      if (event.type === "BOOKMARK") continue;
      seen.push(`${event.type} ${event.object.metadata.name}`);
      revisions.push(Number(event.object.metadata.resourceVersion));
      wake();
    }
  })();
  return {
    seen,
    revisions,
    /** The first `count` events. Waits for them; a test that waits in vain runs into its time limit. */
    async take(count: number): Promise<string[]> {
      while (seen.length < count) {
        await Promise.race([
          new Promise<void>((resolve) => (wake = resolve)),
          done.then(() => neverEnough(seen)),
        ]);
      }
      return seen.slice(0, count);
    },
    async end(): Promise<void> {
      controller.abort();
      await done;
    },
  };
}

function neverEnough(seen: readonly string[]): never {
  throw new Error(`The watch ended after ${seen.length} events: ${seen.join(", ")}`);
}

/** The StatusError that `promise` rejects with. */
async function failure(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => new Error("It was expected to be refused, and was not."),
    (reason: unknown) => reason,
  );
  if (!(error instanceof StatusError)) throw error;
  expect(isExpired(error)).toBe(false);
  return error;
}

function key(name: string): ObjectKey {
  return { namespace: "default", name };
}

function widget(name: string, spec: object = {}): KubeObject {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name }, spec };
}

function labelled(name: string, labels: Record<string, string>): KubeObject {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name, labels } };
}
