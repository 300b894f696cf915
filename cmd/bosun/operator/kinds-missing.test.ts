import { expect, test } from "vitest";
import { type Definition, ownDefinitions } from "./definitions.ts";
import { missingFields, missingKinds, type Published } from "./kinds-missing.ts";

const own = ownDefinitions();

/** What a server publishes that has `definitions`. */
function published(definitions: readonly Definition[]): Published {
  const schemas = definitions.map(({ spec: { group, names, versions } }) => [
    `dev.bosun.${names.kind}`,
    {
      ...versions[0]?.schema.openAPIV3Schema,
      "x-kubernetes-group-version-kind": [{ group, kind: names.kind, version: versions[0]?.name }],
    },
  ]);
  return { components: { schemas: Object.fromEntries(schemas) } };
}

/** Bosun's own definitions, changed by `change` as JSON. */
const changed = (change: (text: string) => string): Definition[] => JSON.parse(change(JSON.stringify(own)));

test("a server with the kinds of this version lacks nothing", () => {
  const resources = own.flatMap(({ spec: { names, versions } }) =>
    ["", ...Object.keys(versions[0]?.subresources ?? {}).map((name) => `/${name}`)].map((suffix) => ({
      name: `${names.plural}${suffix}`,
    })),
  );
  expect(missingKinds(own, { resources })).toEqual([]);
  expect(missingFields(own, published(own))).toEqual([]);
});

test("kinds and subresources that are not served are named", () => {
  const resources = own
    .flatMap(({ spec: { names } }) => [{ name: names.plural }, { name: `${names.plural}/status` }])
    .filter(({ name }) => !["agents/status", "reviews"].includes(name));
  expect(missingKinds(own, { resources }).toSorted()).toEqual([
    "agentpools/scale",
    "agents/status",
    "reviews",
  ]);
});

test("fields that a server would drop are named, however deep they lie", () => {
  const older = changed((text) =>
    text.replaceAll('"session":{', '"before":{').replaceAll('"untilTime":{', '"till":{'),
  );
  const missing = missingFields(own, published(older));
  expect(missing).toContain("Agent status.session");
  expect(missing).toContain("Workspace status.usageLimits[].untilTime");
});

test("fields that only a newer version has are no harm, nor are schemas that a server does not publish", () => {
  const newer = changed((text) => text.replaceAll('"session":{', '"sooner":{"type":"string"},"session":{'));
  expect(missingFields(own, published(newer))).toEqual([]);
  expect(missingFields(own, {})).toEqual([]);
  const opaque = published(own.map((one) => ({ ...one, spec: { ...one.spec, versions: [] } })));
  expect(missingFields(own, opaque)).toEqual([]);
});
