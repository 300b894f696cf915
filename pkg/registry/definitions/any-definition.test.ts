import fc from "fast-check";
import { expect, test } from "vitest";
import { StatusError } from "../../api/status-error.ts";
import { definitionResource } from "../builtin/definition.ts";
import { isObject, type Json } from "../json.ts";
import { openTestRegistry } from "../testing/registry.ts";
import { widgetCrd } from "../testing/widget.ts";

const words = [
  "type",
  "items",
  "properties",
  "additionalProperties",
  "default",
  "nullable",
  "pattern",
  "enum",
  "required",
  "anyOf",
  "not",
  "format",
  "multipleOf",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-int-or-string",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-validations",
];
const value = fc.oneof(
  fc.constantFrom<Json>(
    null,
    "",
    "object",
    "array",
    "map",
    "set",
    "((",
    ".spec.a",
    "v1",
    0,
    -1,
    1.5,
    true,
    false,
  ),
  fc.constantFrom<Json>(
    [],
    {},
    [null],
    ["a"],
    { type: "string" },
    [{ type: "string" }],
    [{ rule: "self >" }],
  ),
);
const edit = fc.record({ step: fc.nat(), add: fc.boolean(), key: fc.constantFrom(...words), value });

test("whatever is said in a definition, it is served or refused, and its objects too", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), value, async (edits, spec) => {
      const { registry, settle } = await openTestRegistry({ crds: [] });
      const definition = edits.reduce<Json>(edited, structuredClone(widgetCrd) as Json);
      await registry.create(definitionResource.id, "", definition).catch(refused);
      await settle();
      const [widgets] = registry.definitions().filter(({ builtin }) => builtin === undefined);
      if (widgets === undefined) return;
      const { group, version, kind } = widgets;
      const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: "a" }, spec };
      await registry.create(widgets.id, "default", object).catch(refused);
      await registry.delete(definitionResource.id, { namespace: "", name: "widgets.test.example" });
      await settle();
      expect(registry.definitions()).not.toContain(widgets);
    }),
    { numRuns: 150 },
  );
});

function refused(error: unknown): void {
  expect(error).toBeInstanceOf(StatusError);
  expect([400, 422]).toContain((error as StatusError).code);
}

/** `at` with a value somewhere within replaced, or a field added. */
function edited(
  at: Json,
  { step, add, key, value }: { step: number; add: boolean; key: string; value: Json },
): Json {
  const places = placesIn(at).slice(1);
  const [first, ...rest] = places[step % places.length] as string[];
  if (first === "apiVersion" || first === "kind" || first === "metadata") return at;
  const change = (here: Json, path: readonly string[]): Json => {
    const [name, ...deeper] = path;
    if (name === undefined) return add && isObject(here) ? { ...here, [key]: value } : value;
    if (Array.isArray(here)) return here.with(Number(name), change(here[Number(name)] as Json, deeper));
    return isObject(here) ? { ...here, [name]: change(here[name] as Json, deeper) } : value;
  };
  return change(at, [first as string, ...rest]);
}

function placesIn(value: Json, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => placesIn(item as Json, [...at, key]))];
}
