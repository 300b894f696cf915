import { isObject, type Json, type JsonObject } from "../../../registry/json.ts";

/**
 * The OpenAPI v2 document that says what several v3 documents say, as far as v2 can: what kubectl up to 1.28 reads.
 * Alternatives and nullable values are left out, and what holds more than its schema says is left open.
 */
export function swagger(documents: readonly JsonObject[]): JsonObject {
  const paths: Record<string, Json> = {};
  const definitions: Record<string, JsonObject> = {};
  for (const document of documents) {
    for (const [path, item] of entries(document.paths)) paths[path] = pathItem(item as JsonObject);
    for (const [name, schema] of entries(within(document, "components", "schemas"))) {
      definitions[name] = merged(definitions[name], schemaV2(schema as JsonObject));
    }
  }
  return { swagger: "2.0", info: { title: "Kubernetes", version: "v1.36.0" }, paths, definitions };
}

const kinds = "x-kubernetes-group-version-kind";

/** A schema that several documents share belongs to the groups and versions of all. */
function merged(before: JsonObject | undefined, schema: JsonObject): JsonObject {
  const [old, own] = [before?.[kinds], schema[kinds]];
  if (!Array.isArray(old) || !Array.isArray(own)) return schema;
  const distinct = new Map([...old, ...own].map((kind) => [JSON.stringify(kind), kind as Json]));
  return { ...schema, [kinds]: [...distinct.values()] };
}

function pathItem(item: JsonObject): JsonObject {
  return Object.fromEntries(
    entries(item).map(([key, value]) => [
      key,
      key === "parameters" ? (value as readonly JsonObject[]).map(parameter) : operation(value as JsonObject),
    ]),
  );
}

function operation({ requestBody, responses, parameters, ...rest }: JsonObject): JsonObject {
  const own = (parameters as readonly JsonObject[]).map(parameter);
  const answers = entries(responses).map(([code, answer]): [string, Json] => [
    code,
    response(answer as JsonObject),
  ]);
  const produced = within(responses, "200", "content");
  const content = within(requestBody, "content");
  return {
    ...rest,
    consumes: content === undefined ? ["*/*"] : Object.keys(content),
    produces: Object.keys(produced ?? {}),
    parameters: content === undefined ? own : [bodyParameter(requestBody as JsonObject, content), ...own],
    responses: Object.fromEntries(answers),
  };
}

function parameter({ schema, ...rest }: JsonObject): JsonObject {
  return { ...rest, ...(isObject(schema) ? schema : {}) };
}

function bodyParameter(requestBody: JsonObject, content: JsonObject): JsonObject {
  const required: JsonObject = requestBody.required === true ? { required: true } : {};
  return { name: "body", in: "body", ...required, schema: schemaOf(content) };
}

function response({ description = "", content }: JsonObject): JsonObject {
  return { description, ...(isObject(content) ? { schema: schemaOf(content) } : {}) };
}

/** The schema of a content: the same in all its media types. */
function schemaOf(content: JsonObject): JsonObject {
  const [first] = Object.values(content);
  return schemaV2(within(first, "schema") ?? {});
}

/** What v2 has of a schema beside its parts and what Kubernetes adds. */
const kept: ReadonlySet<string> = new Set(["description", "type", "format", "required", "default", "enum"]);

function schemaV2(schema: JsonObject): JsonObject {
  const { allOf, $ref } = schema;
  const references = Array.isArray(allOf) ? (allOf as readonly JsonObject[]) : [];
  const reference = $ref ?? (references.length === 1 ? references[0]?.$ref : undefined);
  const description: JsonObject = schema.description === undefined ? {} : { description: schema.description };
  if (typeof reference === "string") return { ...description, $ref: definition(reference) };
  const extensions = entries(schema).filter(([key]) => key.startsWith("x-kubernetes-"));
  // Neither a type nor fields: a client that took these for all there may be would refuse the others.
  if (
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema["x-kubernetes-int-or-string"] === true
  ) {
    return { ...description, ...Object.fromEntries(extensions) };
  }
  const shown: Record<string, Json> = Object.fromEntries(extensions);
  for (const [key, value] of entries(schema)) {
    if (kept.has(key)) shown[key] = value;
    else if (key === "items" && isObject(value)) shown.items = schemaV2(value);
    else if (key === "additionalProperties") {
      shown[key] = isObject(value) ? schemaV2(value) : value;
    } else if (key === "properties") {
      const parts = entries(value).map(([name, part]) => [name, schemaV2(part as JsonObject)]);
      shown.properties = Object.fromEntries(parts);
    }
  }
  return shown;
}

function definition(reference: string): string {
  return reference.replace("#/components/schemas/", "#/definitions/");
}

function entries(value: Json | undefined): [string, Json][] {
  return isObject(value) ? Object.entries(value) : [];
}

function within(value: Json | undefined, ...keys: string[]): JsonObject | undefined {
  let found = value;
  for (const key of keys) found = isObject(found) ? found[key] : undefined;
  return isObject(found) ? found : undefined;
}
