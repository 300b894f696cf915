import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { copyJson, deepFreeze, type Json, type JsonObject } from "../json.ts";
import { compileSchema } from "../schema/schema.ts";
import { applyConfig } from "./apply.ts";
import { checkType } from "./check.ts";
import { compare } from "./compare.ts";
import { ApplyConflict, type Conflict, conflictStatus } from "./conflict.ts";
import { difference, intersection, isEmpty, paths, union } from "./field-set.ts";
import { objectType } from "./field-type.ts";
import { FieldTypeError } from "./field-type-error.ts";
import { fieldsOfValue } from "./fields-of-value.ts";
import type { Managers, Writer } from "./managers.ts";
import { merge } from "./merge.ts";
import { printPath } from "./path-element.ts";
import { ownersAfterUpdate } from "./update.ts";
import type { Versions } from "./versions.ts";

interface Step {
  readonly apply?: string;
  readonly force?: string;
  readonly update?: string;
  readonly object: JsonObject;
  readonly conflicts?: Readonly<Record<string, readonly string[]>>;
  readonly fails?: string;
}

interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly object?: JsonObject;
  readonly owners?: Readonly<Record<string, readonly string[]>>;
}

const { schema, cases } = parse(readFileSync(new URL("testdata/cases.yaml", import.meta.url), "utf8")) as {
  schema: Json;
  cases: readonly Case[];
};
const type = objectType(compileSchema(schema));
const versions: Versions = { typeIn: () => type, convert: (object) => object };

interface State {
  readonly object: JsonObject;
  readonly managers: Managers;
}

/** The state after a step that is not refused. */
function stepped(state: State, { apply, force, update, object }: Step, nowMs = 0): State {
  const before = {
    versions,
    live: state.object,
    managers: state.managers,
    fitting: false,
    ignored: [],
    nowMs,
  };
  if (update !== undefined) {
    return { object, managers: ownersAfterUpdate(before, object, writer(update, "Update")) };
  }
  checkType(type, object, { duplicates: false });
  return applyConfig(before, object, writer(apply ?? force ?? "", "Apply"), force !== undefined);
}

function writer(manager: string, operation: Writer["operation"]): Writer {
  return { manager, operation, apiVersion: "v1", subresource: "" };
}

function name({ manager, operation }: Pick<Writer, "manager" | "operation">): string {
  return operation === "Update" ? `${manager}/` : manager;
}

function ownersOf(managers: Managers): Record<string, ReadonlySet<string>> {
  return Object.fromEntries(
    managers.map((entry) => [name(entry), new Set([...paths(entry.fieldsV1)].map(printPath))]),
  );
}

function asSets(fields: Readonly<Record<string, readonly string[]>>): Record<string, ReadonlySet<string>> {
  return Object.fromEntries(Object.entries(fields).map(([key, list]) => [key, new Set(list)]));
}

function conflictsOf(conflicts: readonly Conflict[]): Record<string, ReadonlySet<string>> {
  const found: Record<string, Set<string>> = {};
  for (const { owner, path } of conflicts) {
    const id = name(owner);
    found[id] = (found[id] ?? new Set()).add(printPath(path));
  }
  return found;
}

function failureOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

const empty: State = deepFreeze({ object: {}, managers: [] });

describe("what becomes of an object and its owners", () => {
  test.each(cases)("$name", ({ steps, object, owners }) => {
    let state = empty;
    for (const step of deepFreeze(steps)) {
      if (step.conflicts !== undefined) {
        const error = failureOf(() => stepped(state, step));
        expect(error).toBeInstanceOf(ApplyConflict);
        expect(conflictsOf((error as ApplyConflict).conflicts)).toEqual(asSets(step.conflicts));
      } else if (step.fails !== undefined) {
        const error = failureOf(() => stepped(state, step));
        expect(error).toBeInstanceOf(FieldTypeError);
        expect((error as FieldTypeError).message).toBe(step.fails);
      } else {
        state = deepFreeze(stepped(state, step));
      }
    }
    if (object !== undefined) expect(state.object).toEqual(object);
    if (owners !== undefined) expect(ownersOf(state.managers)).toEqual(asSets(owners));
  });
});

/**
 * Objects of the type, from few values, so that they meet. Nothing in them is empty: as with kube-apiserver, nobody owns
 * an empty list, and a map that loses all its keys is gone though its owner wants it empty.
 */
const objects: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      num: fc.constantFrom(1, 2),
      text: fc.constantFrom<Json>("a", "b", null),
      struct: fc.record({ name: word(), inner: fc.record({ name: word() }) }, { requiredKeys: ["name"] }),
      whole: fc.record({ a: word(), b: word() }, { requiredKeys: ["a"] }),
      map: fc.dictionary(word(), word(), { minKeys: 1, maxKeys: 3 }),
      mapOfSets: fc.dictionary(word(), fc.uniqueArray(word(), { minLength: 1 }), { minKeys: 1, maxKeys: 2 }),
      free: fc.dictionary(
        word(),
        fc.oneof(word(), fc.constant(null), fc.dictionary(word(), word(), { minKeys: 1 })),
        {
          minKeys: 1,
          maxKeys: 3,
        },
      ),
      atomic: fc.array(word(), { minLength: 1, maxLength: 2 }),
      set: fc.uniqueArray(word(), { minLength: 1 }),
      list: fc.uniqueArray(
        fc.record({ name: word(), value: fc.constantFrom(1, 2) }, { requiredKeys: ["name"] }),
        { selector: ({ name }) => name, minLength: 1 },
      ),
    },
    { requiredKeys: [] },
  )
  .map((object) => deepFreeze(copyJson(object)) as JsonObject);

function word(): fc.Arbitrary<string> {
  return fc.constantFrom("x", "y", "z");
}

/** Steps of a few managers, applies forced. */
const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc
    .tuple(fc.constantFrom("one", "two", "three"), fc.constantFrom("force", "update"), objects)
    .map(([manager, verb, object]) => ({ [verb]: manager, object })),
  { maxLength: 4 },
);

function stateOf(history: readonly Step[]): State {
  return history.reduce((state, step) => stepped(state, step), empty);
}

function law(check: (state: State, config: JsonObject, other: JsonObject) => void): void {
  fc.assert(
    fc.property(
      histories,
      objects,
      objects,
      (history, config, other) => void check(deepFreeze(stateOf(history)), config, other),
    ),
    { numRuns: 500 },
  );
}

function fieldsOf({ managers }: State, id: string): ReadonlySet<string> {
  return ownersOf(managers)[id] ?? new Set();
}

describe("laws", () => {
  test("applying twice is applying once", () => {
    law((state, config) => {
      const once = deepFreeze(stepped(state, { force: "one", object: config }, 1000));
      const twice = stepped(once, { apply: "one", object: config }, 2000);
      expect(twice.object).toBe(once.object);
      expect(twice.managers).toBe(once.managers);
    });
  });

  test("an apply makes what it says true, forced or not, and says the same of it then", () => {
    law((state, config) => {
      const forced = stepped(state, { force: "one", object: config });
      expect(compare(type, forced.object, merge(type, forced.object, config))).toEqual(nothing);
      const said = [...paths(fieldsOfValue(type, config))].map(printPath);
      expect(fieldsOf(forced, "one")).toEqual(new Set(said));
      if (failureOf(() => stepped(state, { apply: "one", object: config })) !== undefined) return;
      expect(stepped(state, { apply: "one", object: config }).object).toEqual(forced.object);
    });
  });

  test("applying nothing as the sole owner leaves nothing", () => {
    law((_state, config, other) => {
      let state = stepped(empty, { apply: "one", object: config });
      state = stepped(state, { apply: "one", object: other });
      state = stepped(state, { apply: "one", object: {} });
      expect(meant(state.object)).toEqual({});
      expect(state.managers).toEqual([]);
    });
  });

  test("a field that two own stays when one of them drops it", () => {
    law((_state, config) => {
      let state = stepped(empty, { apply: "one", object: config });
      state = stepped(state, { apply: "two", object: config });
      const dropped = stepped(state, { apply: "one", object: {} });
      expect(dropped.object).toEqual(state.object);
      expect(fieldsOf(dropped, "two")).toEqual(fieldsOf(state, "two"));
    });
  });

  test("an update gives its writer what it changed, takes that from the others, and leaves nobody what is gone", () => {
    law((state, object) => {
      const { changed, removed } = compare(type, state.object, object);
      const updated = stepped(state, { update: "up", object });
      expect(fieldsOf(updated, "up/")).toEqual(new Set([...paths(changed)].map(printPath)));
      for (const { manager, operation, fieldsV1 } of state.managers) {
        const id = name({ manager, operation });
        const gone = new Set([...paths(union(changed, removed))].map(printPath));
        const left = [...paths(fieldsV1)].map(printPath).filter((field) => !gone.has(field));
        expect(fieldsOf(updated, id)).toEqual(new Set(left));
      }
    });
  });

  test("an apply conflicts exactly where it changes what others own", () => {
    law((state, config) => {
      const failure = failureOf(() => stepped(state, { apply: "one", object: config }));
      const forced = stepped(state, { force: "one", object: config });
      const { changed } = compare(type, state.object, forced.object);
      const contested = state.managers
        .filter(({ manager, operation }) => manager !== "one" || operation === "Update")
        .filter(({ fieldsV1 }) => !isEmpty(intersection(fieldsV1, changed)));
      expect(failure instanceof ApplyConflict).toBe(contested.length > 0);
    });
  });

  test("applied items come in the applied order, and the others in theirs", () => {
    law((state, config) => {
      const { object } = stepped(state, { force: "one", object: config });
      const [said, was, is] = [config.set, state.object.set, object.set].map(
        (set) => (set ?? []) as string[],
      );
      expect(is?.filter((item) => said?.includes(item))).toEqual(said);
      expect(is?.filter((item) => !said?.includes(item))).toEqual(
        was?.filter((item) => is?.includes(item) && !said?.includes(item)),
      );
    });
  });

  test("nobody owns a field that is not there", () => {
    law((state, config) => {
      const { object, managers } = stepped(state, { force: "one", object: config });
      const there = union(fieldsOfValue(type, object), compare(type, {}, object).changed);
      for (const { fieldsV1 } of managers) expect(difference(fieldsV1, there)).toEqual({});
    });
  });
});

const nothing = { changed: {}, removed: {} };

/** Without the nulls that a map leaves behind when it loses all: schemas drop them. */
function meant(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

describe("a conflict", () => {
  test("of one field is told in a line", () => {
    const state = stepped(empty, { update: "up", object: { num: 1 } });
    const error = failureOf(() => stepped(state, { apply: "one", object: { num: 2 } })) as ApplyConflict;
    expect(conflictStatus(error).message).toBe(
      'Apply failed with 1 conflict: conflict with "up" using v1: .num',
    );
  });

  test("of several fields is told owner by owner", () => {
    let state = stepped(empty, { update: "up", object: { num: 1, set: ["a"] } });
    state = stepped(state, { apply: "two", object: { text: "a", atomic: ["a"] } });
    const config = { num: 2, text: "b", atomic: ["b"] };
    const status = conflictStatus(
      failureOf(() => stepped(state, { apply: "one", object: config })) as ApplyConflict,
    );
    expect(status.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "two":\n- .atomic\n- .text\nconflicts with "up" using v1:\n- .num',
    );
    expect(status).toMatchObject({ code: 409, reason: "Conflict" });
    expect(status.details).toEqual({
      causes: expect.arrayContaining([
        { reason: "FieldManagerConflict", message: 'conflict with "up" using v1', field: ".num" },
      ]),
    });
  });
});

describe("times", () => {
  test("move with the values that a manager changes", () => {
    const one = stepped(empty, { apply: "one", object: { num: 1 } }, 1000);
    const two = stepped(one, { apply: "one", object: { num: 2 } }, 2000);
    expect([one, two].map(({ managers }) => managers[0]?.time)).toEqual([
      "1970-01-01T00:00:01Z",
      "1970-01-01T00:00:02Z",
    ]);
  });

  test("stay, and the entry with them, when nothing changes", () => {
    const one = stepped(empty, { apply: "one", object: { num: 1 } }, 1000);
    expect(stepped(one, { apply: "one", object: { num: 1 } }, 2000)).toEqual(one);
  });

  test("are none for who joins in owning what is there", () => {
    const one = stepped(empty, { apply: "one", object: { num: 1 } }, 1000);
    const { managers } = stepped(one, { apply: "two", object: { num: 1 } }, 2000);
    expect(managers.map(({ manager, time }) => [manager, time])).toEqual([
      ["two", undefined],
      ["one", "1970-01-01T00:00:01Z"],
    ]);
  });
});
