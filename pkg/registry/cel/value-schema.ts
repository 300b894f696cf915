import type { Schema } from "../schema/schema.ts";

/** What of a schema tells how rules see its values. */
export interface ValueSchema
  extends Pick<
    Schema,
    | "type"
    | "format"
    | "nullable"
    | "intOrString"
    | "preserveUnknown"
    | "embeddedResource"
    | "listType"
    | "listMapKeys"
  > {
  readonly properties: ReadonlyMap<string, ValueSchema>;
  readonly additionalProperties: ValueSchema | undefined;
  readonly items: ValueSchema | undefined;
}

/**
 * The fields of an object.
 *
 * @param isResource - whether it is a whole object: then it has apiVersion, kind, and of metadata the name and
 *   generateName, unless its schema says all that and more
 */
export function fieldsOf(schema: ValueSchema, isResource: boolean): ReadonlyMap<string, ValueSchema> {
  if (!isResource || declaresObject(schema)) return schema.properties;
  let fields = resourceFields.get(schema);
  if (fields === undefined) {
    fields = new Map([...schema.properties, ...always]);
    resourceFields.set(schema, fields);
  }
  return fields;
}

/** The one schema of all values of a map; undefined for an object with fields of its own. */
export function mapValues({ additionalProperties, properties }: ValueSchema): ValueSchema | undefined {
  if (additionalProperties === undefined || properties.size > 0) return undefined;
  const { type, intOrString, preserveUnknown } = additionalProperties;
  // `additionalProperties: true` allows values and says nothing of them.
  return type === undefined && !intOrString && !preserveUnknown ? undefined : additionalProperties;
}

function declaresObject({ properties }: ValueSchema): boolean {
  const metadata = properties.get("metadata");
  const texts = [
    properties.get("apiVersion"),
    properties.get("kind"),
    metadata?.properties.get("name"),
    metadata?.properties.get("generateName"),
  ];
  return metadata?.type === "object" && texts.every((field) => field?.type === "string");
}

const resourceFields = new WeakMap<ValueSchema, ReadonlyMap<string, ValueSchema>>();

const plain: ValueSchema = {
  type: "string",
  format: undefined,
  nullable: false,
  intOrString: false,
  preserveUnknown: false,
  embeddedResource: false,
  listType: "atomic",
  listMapKeys: [],
  properties: new Map(),
  additionalProperties: undefined,
  items: undefined,
};

const always: ReadonlyMap<string, ValueSchema> = new Map([
  ["apiVersion", plain],
  ["kind", plain],
  [
    "metadata",
    {
      ...plain,
      type: "object",
      properties: new Map([
        ["name", plain],
        ["generateName", plain],
      ]),
    },
  ],
]);
