/** The JSON Schemas that editors complete and check people's YAML with. */
import { type Crd, storageVersion } from "./crds.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { objectMetaSchema } from "./object-meta-schema.ts";
import type { JsonSchema } from "./rule-schema.ts";

/** Draft 7 is the newest that every YAML editor knows. */
const draft = "http://json-schema.org/draft-07/schema#";

export interface SchemaFile {
  /** Relative to the root of the project. */
  file: string;
  text: string;
}

/**
 * `schemas/KIND.json` for each kind, and `schemas/bosun.json` for any document of a workspace: by its `kind` it has
 * that kind's fields. Each is whole by itself, so that an editor reads one file and nothing from the network. `status`
 * is no field of theirs: a person declares, Bosun observes.
 */
export function editorSchemas(crds: readonly Crd[]): SchemaFile[] {
  const kinds = crds.map((crd) => ({ crd, schema: documentOf(crd) }));
  return [
    ...kinds.map(({ crd, schema }) => ({
      file: `schemas/${crd.spec.names.singular}.json`,
      text: json({ $schema: draft, ...schema }),
    })),
    { file: "schemas/bosun.json", text: json(anyDocument(kinds)) },
  ];
}

function documentOf(crd: Crd): JsonSchema {
  const { kind } = crd.spec.names;
  const root = storageVersion(crd).schema.openAPIV3Schema;
  const { status: _, ...properties } = root.properties ?? {};
  const { properties: members, ...rest } = jsonSchemaOf({
    ...root,
    properties,
    required: ["apiVersion", "kind", "metadata", ...(root.required ?? [])],
  });
  const fields = members as Record<string, JsonSchema>;
  return {
    title: kind,
    ...rest,
    properties: {
      ...fields,
      apiVersion: { ...withoutLength(fields.apiVersion), enum: [apiVersionOf(crd)] },
      kind: { ...withoutLength(fields.kind), enum: [kind] },
      metadata: objectMetaSchema(),
    },
  };
}

/** An enum says it all. */
function withoutLength(schema: JsonSchema | undefined): JsonSchema {
  const { maxLength: _, ...rest } = schema ?? {};
  return rest;
}

function apiVersionOf(crd: Crd): string {
  return `${crd.spec.group}/${storageVersion(crd).name}`;
}

/**
 * The kind decides. Its schema says nothing of `apiVersion` and `kind`, since what two schemas say of one field an
 * editor says twice; and where no kind is known, only that it is missing is said.
 */
function anyDocument(kinds: readonly { crd: Crd; schema: JsonSchema }[]): JsonSchema {
  return {
    $schema: draft,
    title: "Bosun",
    description: "A resource of a Bosun workspace.",
    type: "object",
    required: ["kind"],
    properties: {
      apiVersion: {
        description: "apiVersion is the group and version of the kind.",
        type: "string",
        enum: [...new Set(kinds.map(({ crd }) => apiVersionOf(crd)))],
      },
      kind: {
        description: "kind is what the document declares.",
        type: "string",
        enum: kinds.map(({ crd }) => crd.spec.names.kind),
        enumDescriptions: kinds.map(({ schema }) => schema.description),
      },
    },
    allOf: kinds.map(({ crd }) => ({
      if: { properties: { kind: { const: crd.spec.names.kind } }, required: ["kind"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { $ref: `#/definitions/${crd.spec.names.kind}` },
    })),
    definitions: Object.fromEntries(
      kinds.map(({ crd, schema }) => [crd.spec.names.kind, withoutIdentity(schema)]),
    ),
  };
}

function withoutIdentity(schema: JsonSchema): JsonSchema {
  const { apiVersion: _a, kind: _k, ...fields } = schema.properties as Record<string, JsonSchema>;
  const required = (schema.required as string[]).filter((name) => name !== "kind");
  return { ...schema, required, properties: { apiVersion: true, kind: true, ...fields } };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
