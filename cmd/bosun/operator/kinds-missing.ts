/** What of some definitions an API server does not know, by what it tells of its kinds. */

import type { Definition, Fields } from "./definitions.ts";

interface PublishedFields extends Fields {
  properties?: Readonly<Record<string, PublishedFields>>;
  items?: PublishedFields;
  additionalProperties?: PublishedFields | boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  $ref?: string;
  allOf?: readonly unknown[];
}

interface PublishedKind extends PublishedFields {
  "x-kubernetes-group-version-kind"?: readonly { group: string; kind: string }[];
}

/** An APIResourceList, as `/apis/GROUP/VERSION` answers. */
export interface Discovered {
  resources?: readonly { name: string }[];
}

/** A document of OpenAPI v3, as `/openapi/v3/apis/GROUP/VERSION` answers. */
export interface Published {
  components?: { schemas?: Readonly<Record<string, PublishedKind>> };
}

/** Plurals that are not served, and subresources: `agents`, `agents/status`. */
export function missingKinds(definitions: readonly Definition[], { resources = [] }: Discovered): string[] {
  const served = new Set(resources.map(({ name }) => name));
  return definitions.flatMap(({ spec: { names, versions } }) => {
    if (!served.has(names.plural)) return [names.plural];
    return Object.keys(versions[0]?.subresources ?? {})
      .map((subresource) => `${names.plural}/${subresource}`)
      .filter((name) => !served.has(name));
  });
}

/** Fields that the server would drop: `Agent status.session`. A kind of which it publishes nothing counts as known. */
export function missingFields(definitions: readonly Definition[], { components = {} }: Published): string[] {
  const published = Object.values(components.schemas ?? {});
  return definitions.flatMap(({ spec: { group, names, versions } }) => {
    const known = published.find((schema) =>
      schema["x-kubernetes-group-version-kind"]?.some((of) => of.group === group && of.kind === names.kind),
    );
    const own = versions[0]?.schema.openAPIV3Schema;
    if (known?.properties === undefined || own === undefined) return [];
    // What is beside the two is the same for all kinds, and is published by reference.
    return ["spec", "status"]
      .flatMap((part) => {
        const wanted = own.properties?.[part];
        return wanted === undefined ? [] : missingIn(wanted, known.properties?.[part], part);
      })
      .map((field) => `${names.kind} ${field}`);
  });
}

function missingIn(wanted: Fields, known: PublishedFields | undefined, path: string): string[] {
  if (known === undefined) return [path];
  // Nothing is dropped there, or it is published elsewhere.
  if (
    known["x-kubernetes-preserve-unknown-fields"] === true ||
    known.$ref !== undefined ||
    known.allOf !== undefined
  )
    return [];
  const inProperties = Object.entries(wanted.properties ?? {}).flatMap(([name, field]) =>
    missingIn(field, known.properties?.[name], `${path}.${name}`),
  );
  const inItems = wanted.items === undefined ? [] : missingIn(wanted.items, known.items, `${path}[]`);
  const { additionalProperties: more } = wanted;
  const inMore =
    typeof more === "object" && typeof known.additionalProperties === "object"
      ? missingIn(more, known.additionalProperties, `${path}.*`)
      : [];
  return [...inProperties, ...inItems, ...inMore];
}
