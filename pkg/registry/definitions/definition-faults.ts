import { sameJson } from "../../api/same-json.ts";
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooMany,
} from "../field-error.ts";
import type { JsonObject } from "../json.ts";
import { dns1035LabelFaults, nameFaults } from "../names.ts";
import { approvalFaults } from "./api-approval.ts";
import {
  type CustomResourceDefinition,
  type DefinitionColumn,
  type DefinitionNames,
  type DefinitionSpec,
  type DefinitionVersion,
  isTrue,
  type Subresources,
} from "./definition.ts";
import { schemaFaults } from "./schema-faults.ts";
import { schemaAtPath } from "./schema-path.ts";

/** What is wrong with a definition that takes the place of `old`, in kube-apiserver's words. */
export function definitionFaults(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const { metadata, spec, status } = definition;
  const errors: FieldError[] = [];
  if (old === undefined && metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  errors.push(...specFaults(spec));
  if (old !== undefined) errors.push(...changeFaults(spec, old));
  errors.push(...namesFaults(status.acceptedNames, "status.acceptedNames"));
  errors.push(...storedVersionsFaults(status.storedVersions ?? [], spec.versions ?? []));
  if (spec.preserveUnknownFields) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalid("spec.preserveUnknownFields", true, why));
  }
  return [...errors, ...approvalFaults(definition, old)];
}

function specFaults(spec: DefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const versions = spec.versions ?? [];
  const groupFaults = nameFaults(spec.group);
  if (spec.group === "") errors.push(required("spec.group"));
  else if (groupFaults.length > 0) errors.push(invalid("spec.group", spec.group, groupFaults.join(",")));
  else if (!spec.group.includes(".")) {
    errors.push(invalid("spec.group", spec.group, "should be a domain with at least one dot"));
  }
  if (spec.scope === "") errors.push(required("spec.scope"));
  else if (spec.scope !== "Cluster" && spec.scope !== "Namespaced") {
    errors.push(notSupported("spec.scope", spec.scope, ["Cluster", "Namespaced"]));
  }
  for (const [i, version] of versions.entries()) {
    const faults = dns1035LabelFaults(version.name);
    if (faults.length > 0) errors.push(invalid(`spec.versions[${i}].name`, version.name, faults.join(",")));
    if (version.schema?.openAPIV3Schema === undefined) {
      errors.push(required(`spec.versions[${i}].schema.openAPIV3Schema`));
    }
    errors.push(...deprecationFaults(version, `spec.versions[${i}].deprecationWarning`));
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalid("spec.versions", shownVersions(spec), "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.push(invalid("spec.versions", shownVersions(spec), why));
  }
  const [first] = versions;
  // What would be said of the first version too: it stands for all, in older versions of this API.
  if (first !== undefined) {
    const faults = dns1035LabelFaults(first.name);
    if (faults.length > 0) errors.push(invalid("spec.version", first.name, faults.join(",")));
  }
  for (const field of ["plural", "singular", "kind", "listKind"] as const) {
    if (!spec.names[field]) errors.push(required(`spec.names.${field}`));
  }
  errors.push(...namesFaults(spec.names, "spec.names"), ...versionsFaults(versions));
  if (spec.conversion !== undefined && spec.conversion.strategy !== "None") {
    // Webhooks are not called here, and a conversion that silently is none would lose data.
    errors.push(
      spec.conversion.strategy === ""
        ? required("spec.conversion.strategy")
        : notSupported("spec.conversion.strategy", spec.conversion.strategy, ["None"]),
    );
  } else if (spec.conversion?.webhook !== undefined) {
    const why = "should not be set when strategy is not set to Webhook";
    errors.push(forbidden("spec.conversion.webhookClientConfig", why));
  }
  return errors;
}

/** The versions as errors show them: with the names that kube-apiserver's own code has for their fields. */
function shownVersions({ versions }: DefinitionSpec): unknown {
  if (versions === null) return null;
  return versions.map(({ name, served, storage, deprecated = false, deprecationWarning = null }) => ({
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated,
    DeprecationWarning: deprecationWarning,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
}

function changeFaults(spec: DefinitionSpec, old: CustomResourceDefinition): FieldError[] {
  const fixed: [field: string, now: unknown, before: unknown][] = [
    ["spec.group", spec.group, old.spec.group],
    ["spec.names.plural", spec.names.plural, old.spec.names.plural],
  ];
  if (isTrue(old, "Established")) {
    fixed.push(
      ["spec.scope", spec.scope, old.spec.scope],
      ["spec.names.kind", spec.names.kind, old.spec.names.kind],
    );
  }
  return fixed
    .filter(([, now, before]) => now !== before)
    .map(([field, now]) => invalid(field, now, "field is immutable"));
}

function deprecationFaults(
  { deprecated, deprecationWarning }: DefinitionVersion,
  field: string,
): FieldError[] {
  if (deprecationWarning === undefined) return [];
  if (!deprecated) return [invalid(field, deprecationWarning, "can only be set for deprecated versions")];
  const faults: string[] = [];
  if (Buffer.byteLength(deprecationWarning) > 256) faults.push("must be <= 256 characters long");
  if (deprecationWarning === "") faults.push("must not be an empty string");
  const at = deprecationWarning.search(/\p{C}|[^\S ]/u);
  if (at >= 0) {
    const index = Buffer.byteLength(deprecationWarning.slice(0, at));
    const found = `non-printable character found at index ${index}`;
    faults.push(`must only contain printable UTF-8 characters; ${found}`);
  }
  return faults.map((fault) => invalid(field, deprecationWarning, fault));
}

function namesFaults(names: DefinitionNames, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (value: string | undefined, at: string, mixedCase = false): void => {
    if (!value) return;
    const faults = dns1035LabelFaults(mixedCase ? value.toLowerCase() : value);
    if (faults.length === 0) return;
    const prefix = mixedCase ? "may have mixed case, but should otherwise match: " : "";
    errors.push(invalid(`${field}.${at}`, value, `${prefix}${faults.join(",")}`));
  };
  check(names.plural, "plural");
  check(names.singular, "singular");
  check(names.kind, "kind", true);
  check(names.listKind, "listKind", true);
  for (const [i, name] of (names.shortNames ?? []).entries()) check(name, `shortNames[${i}]`);
  for (const [i, category] of (names.categories ?? []).entries()) check(category, `categories[${i}]`);
  if (names.kind !== "" && names.kind === names.listKind) {
    errors.push(invalid(`${field}.listKind`, names.listKind, "kind and listKind may not be the same"));
  }
  return errors;
}

function storedVersionsFaults(
  stored: readonly string[],
  versions: readonly DefinitionVersion[],
): FieldError[] {
  const field = "status.storedVersions";
  if (stored.length === 0) return [invalid(field, null, "must have at least one stored version")];
  const storage = versions.find((version) => version.storage);
  const errors: FieldError[] = [];
  if (storage !== undefined && !stored.includes(storage.name)) {
    errors.push(invalid(field, stored, `must have the storage version ${storage.name}`));
  }
  for (const [i, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`${field}[${i}]`, name, why));
  }
  return errors;
}

/**
 * What the versions say of schema, subresources, columns and selectable fields. What is the same in all of them is
 * checked once, under the name that it has for all.
 */
function versionsFaults(versions: readonly DefinitionVersion[]): FieldError[] {
  const errors: FieldError[] = [];
  const each = (
    part: "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields",
    shared: string,
    check: (version: DefinitionVersion, field: string) => readonly FieldError[],
  ): void => {
    const [first] = versions;
    if (first === undefined) return;
    if (versions.every((version) => sameJson(version[part], first[part]))) {
      errors.push(...check(first, `spec.${shared}`));
      return;
    }
    for (const [i, version] of versions.entries())
      errors.push(...check(version, `spec.versions[${i}].${part}`));
  };
  each("schema", "validation", ({ schema, subresources }, field) =>
    schema?.openAPIV3Schema === undefined
      ? []
      : schemaFaults(schema.openAPIV3Schema, `${field}.openAPIV3Schema`, {
          statusSubresource: (field.startsWith("spec.versions")
            ? [subresources]
            : versions.map((version) => version.subresources)
          ).some((some) => some?.status !== undefined),
        }),
  );
  each("subresources", "subresources", ({ subresources }, field) => scaleFaults(subresources, field));
  each("additionalPrinterColumns", "additionalPrinterColumns", ({ additionalPrinterColumns = [] }, field) =>
    additionalPrinterColumns.flatMap((column, i) => columnFaults(column, `${field}[${i}]`)),
  );
  each("selectableFields", "selectableFields", selectableFieldsFaults);
  return errors;
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function columnFaults(column: DefinitionColumn, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (column.name === "") errors.push(required(`${field}.name`));
  const types = `must be one of ${columnTypes.join(",")}`;
  if (column.type === "") errors.push(required(`${field}.type`, types));
  else if (!columnTypes.includes(column.type)) errors.push(invalid(`${field}.type`, column.type, types));
  if (column.format && !columnFormats.includes(column.format)) {
    errors.push(invalid(`${field}.format`, column.format, `must be one of ${columnFormats.join(",")}`));
  }
  if (column.jsonPath === "") errors.push(required(`${field}.JSONPath`));
  else errors.push(...pathFaults(column.jsonPath, `${field}.JSONPath`));
  return errors;
}

function scaleFaults(subresources: Subresources | undefined, field: string): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  for (const [name, parent] of [
    ["specReplicasPath", ".spec."],
    ["statusReplicasPath", ".status."],
  ] as const) {
    const value = scale[name];
    if (value === "") {
      errors.push(required(`${field}.scale.${name}`));
      continue;
    }
    const faults = pathFaults(value, `${field}.scale.${name}`);
    errors.push(...faults);
    if (faults.length > 0 || value.startsWith(parent)) continue;
    const why = `should be a json path under ${parent.slice(0, -1)}`;
    errors.push(invalid(`${field}.scale.${name}`, value, why));
  }
  const { labelSelectorPath: selector = "" } = scale;
  if (selector !== "") {
    const faults = pathFaults(selector, `${field}.scale.labelSelectorPath`);
    errors.push(...faults);
    if (faults.length === 0 && !/^\.(spec|status)\./.test(selector)) {
      const why = "should be a json path under either .spec or .status";
      errors.push(invalid(`${field}.scale.labelSelectorPath`, selector, why));
    }
  }
  return errors;
}

function pathFaults(path: string, field: string): FieldError[] {
  return path.startsWith(".") ? [] : [invalid(field, path, "must be a simple json path starting with .")];
}

/** Of one version, as in kube-apiserver. */
const maxSelectableFields = 8;

function selectableFieldsFaults(
  { schema, selectableFields = [] }: DefinitionVersion,
  field: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [i, { jsonPath }] of selectableFields.entries()) {
    const at = `${field}[${i}].jsonPath`;
    if (jsonPath === "") {
      errors.push(required(at));
      continue;
    }
    const found = schemaAtPath(schema?.openAPIV3Schema ?? {}, jsonPath);
    if (typeof found === "string") {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`));
      continue;
    }
    if (jsonPath.startsWith(".metadata")) {
      errors.push(invalid(at, jsonPath, "must not point to fields in metadata"));
    }
    if (!isSelectable(found)) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalid(at, jsonPath, why));
    }
    if (paths.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    paths.add(jsonPath);
  }
  if (paths.size > maxSelectableFields) errors.push(tooMany(field, paths.size, maxSelectableFields));
  return errors;
}

function isSelectable({ type }: JsonObject): boolean {
  return type === "string" || type === "boolean" || type === "integer";
}
