import { isObject, type Json, type JsonObject } from "../../registry/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { kindsExtension, knownDefinitions, metaPrefix, reference } from "./definitions.ts";

/** The name of a kind's schema in documents: the group backwards, `dev.bosun.v1alpha1.Project`. */
export function schemaName({ group, version, builtin }: Resource, kind: string): string {
  if (builtin === undefined) return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
  if (group === "apiextensions.k8s.io") {
    return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}.${kind}`;
  }
  return `io.k8s.api.${group === "" ? "core" : group.replace(/\..*$/, "")}.${version}.${kind}`;
}

/**
 * The schema of a kind as documents publish it: Kubernetes' own of a kind of its own, else what the definition declares
 * with the metadata that all objects have.
 */
export function kindSchema(resource: Resource): JsonObject {
  const { group, version, kind, builtin, declaredSchema } = resource;
  const known = builtin === undefined ? undefined : knownDefinitions[schemaName(resource, kind)];
  if (known !== undefined) return { ...known, ...kindsExtension([{ group, version, kind }]) };
  const own = published(declaredSchema);
  return {
    ...own,
    type: "object",
    properties: {
      ...(isObject(own.properties) ? own.properties : {}),
      ...typeProperties,
      metadata: metadata("ObjectMeta", "Standard object's metadata. More info: ", "metadata"),
    },
    ...kindsExtension([{ group, version, kind }]),
    ...fieldsExtension(resource),
  };
}

/** The schema of a list of a kind. */
export function listSchema(resource: Resource): JsonObject {
  const { group, version, kind, listKind, plural, builtin } = resource;
  const known = builtin === undefined ? undefined : knownDefinitions[schemaName(resource, listKind)];
  if (known !== undefined) return { ...known, ...kindsExtension([{ group, version, kind: listKind }]) };
  return {
    description: `${listKind} is a list of ${kind}`,
    type: "object",
    required: ["items"],
    properties: {
      ...typeProperties,
      items: {
        description: `List of ${plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        type: "array",
        items: reference(schemaName(resource, kind)),
      },
      metadata: metadata("ListMeta", "Standard list metadata. More info: ", "types-kinds"),
    },
    ...kindsExtension([{ group, version, kind: listKind }]),
    ...fieldsExtension(resource),
  };
}

/** Says which fields objects can be selected by, of a kind whose definition declares some. */
function fieldsExtension({ builtin, selectableFields }: Resource): JsonObject {
  if (builtin !== undefined || selectableFields === undefined || selectableFields.size === 0) return {};
  const fields = [...selectableFields.keys()].map((fieldPath) => ({ fieldPath }));
  return { "x-kubernetes-selectable-fields": fields };
}

const conventions = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

const typeProperties: JsonObject = {
  apiVersion: {
    description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${conventions}#resources`,
    type: "string",
  },
  kind: {
    description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${conventions}#types-kinds`,
    type: "string",
  },
};

const embeddedTypeProperties: JsonObject = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${conventions}#resources`,
    type: "string",
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${conventions}#types-kinds`,
    type: "string",
  },
};

function metadata(type: string, description: string, anchor: string): JsonObject {
  return {
    description: `${description}${conventions}#${anchor}`,
    allOf: [reference(`${metaPrefix}${type}`)],
  };
}

/** A declared schema as documents have it: whole objects within are given the fields that all objects have. */
function published(schema: JsonObject): JsonObject {
  const shown: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) shown[key] = publishedPart(key, value);
  if (schema["x-kubernetes-int-or-string"] === true && schema.anyOf === undefined) {
    shown.anyOf = [{ type: "integer" }, { type: "string" }];
  }
  if (schema["x-kubernetes-embedded-resource"] !== true) return shown;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return {
    ...shown,
    properties: {
      ...(isObject(shown.properties) ? shown.properties : {}),
      ...embeddedTypeProperties,
      metadata: metadata("ObjectMeta", "Standard object's metadata. More info: ", "metadata"),
    },
    required: [...new Set([...required, "kind", "apiVersion"])],
  };
}

function publishedPart(key: string, value: Json): Json {
  if (key === "properties" && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, isObject(part) ? published(part) : part]),
    );
  }
  const isSchema = (key === "items" || key === "additionalProperties") && isObject(value);
  return isSchema ? published(value) : value;
}
