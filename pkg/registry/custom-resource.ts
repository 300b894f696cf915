import type { FieldReader } from "./field-selector.ts";
import { copyJson, isObject, type Json, type JsonObject } from "./json.ts";
import { type PrinterColumn, type Resource, resourceId, type ScaleSubresource } from "./resource.ts";
import { compileSchema } from "./schema/schema.ts";

/**
 * The Resource that a CustomResourceDefinition (apiextensions.k8s.io/v1, parsed YAML) defines.
 *
 * @throws Error naming the definition and what is wrong with it; one version, served and stored, is supported
 */
export function customResource(definition: unknown): Resource {
  const crd = copyJson(definition);
  const name = string(at(crd, "metadata", "name")) ?? "without a name";
  try {
    return read(crd);
  } catch (cause) {
    throw new Error(`CustomResourceDefinition ${name}: ${(cause as Error).message}`, { cause });
  }
}

function read(crd: Json): Resource {
  if (at(crd, "kind") !== "CustomResourceDefinition" || at(crd, "apiVersion") !== "apiextensions.k8s.io/v1") {
    throw new Error("It must be an apiextensions.k8s.io/v1 CustomResourceDefinition.");
  }
  const group = needed(crd, "spec", "group");
  const plural = needed(crd, "spec", "names", "plural");
  const kind = needed(crd, "spec", "names", "kind");
  const versions = list(at(crd, "spec", "versions")).filter((version) => at(version, "served") === true);
  const [version] = versions;
  if (version === undefined || versions.length > 1 || at(version, "storage") !== true) {
    throw new Error("Exactly one version must be served, and it must be the stored one.");
  }
  const annotations = at(crd, "metadata", "annotations");
  const id = resourceId(group, plural);
  const openApiSchema = at(version, "schema", "openAPIV3Schema");
  const declaredSchema = isObject(openApiSchema) ? openApiSchema : {};
  return {
    id,
    store: id,
    view: undefined,
    builtin: undefined,
    // In the order in which kube-apiserver tells them.
    verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
    group,
    version: needed(version, "name"),
    kind,
    listKind: string(at(crd, "spec", "names", "listKind")) ?? `${kind}List`,
    plural,
    singular: string(at(crd, "spec", "names", "singular")) ?? kind.toLowerCase(),
    shortNames: strings(at(crd, "spec", "names", "shortNames")),
    categories: strings(at(crd, "spec", "names", "categories")),
    namespaced: at(crd, "spec", "scope") !== "Cluster",
    schema: compileSchema(declaredSchema),
    declaredSchema,
    statusSubresource: at(version, "subresources", "status") !== undefined,
    scale: scale(at(version, "subresources", "scale")),
    generation: true,
    unconditionalUpdate: false,
    printerColumns: list(at(version, "additionalPrinterColumns")) as unknown as PrinterColumn[],
    selectableFields: new Map(
      list(at(version, "selectableFields")).map((field) => selectableField(needed(field, "jsonPath"))),
    ),
    annotations: isObject(annotations) ? (annotations as Record<string, string>) : {},
  };
}

/** The label `spec.color` of the path `.spec.color`, and what reads it. */
function selectableField(jsonPath: string): [label: string, read: FieldReader] {
  const keys = path(jsonPath);
  return [
    keys.join("."),
    (object) => {
      const value = at(object as unknown as Json, ...keys);
      return value === undefined || value === null ? "" : String(value);
    },
  ];
}

function scale(declared: Json | undefined): ScaleSubresource | undefined {
  if (!isObject(declared)) return undefined;
  const selector = string(declared.labelSelectorPath);
  return {
    specReplicas: path(needed(declared, "specReplicasPath")),
    statusReplicas: path(needed(declared, "statusReplicasPath")),
    labelSelector: selector === undefined ? undefined : path(selector),
  };
}

function path(jsonPath: string): readonly string[] {
  return jsonPath.replace(/^\./, "").split(".");
}

function at(value: Json | undefined, ...keys: string[]): Json | undefined {
  return keys.reduce<Json | undefined>(
    (found, key) => (isObject(found) ? (found as JsonObject)[key] : undefined),
    value,
  );
}

function needed(value: Json, ...keys: string[]): string {
  const found = string(at(value, ...keys));
  if (found === undefined) throw new Error(`\`${keys.join(".")}\` must be a string.`);
  return found;
}

function string(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function strings(value: Json | undefined): readonly string[] {
  return list(value).filter((item) => typeof item === "string");
}
