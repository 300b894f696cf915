import { RE2JS } from "re2js";
import { sameJson } from "../../api/same-json.ts";
import { ruleShapeFaults } from "../cel/rule-shape.ts";
import { RuleError } from "../cel/rules.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { validateSchema } from "../schema/check-schema.ts";
import { normalize } from "../schema/normalize.ts";
import { compiledSchema, compileSchema, ruleFaults } from "../schema/schema.ts";
import { validateRules } from "../schema/validate.ts";

/**
 * What keeps an `openAPIV3Schema` from being served: fields that are not supported, what makes it no structural schema,
 * defaults that it would refuse itself, rules that do not compile. In kube-apiserver's words.
 *
 * @param options.statusSubresource - whether `status` is written apart
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function schemaFaults(
  schema: JsonObject,
  field: string,
  { statusSubresource }: { statusSubresource: boolean },
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (statusSubresource) errors.push(...rootFaults(schema, field));
  if (schema.nullable === true) {
    errors.push(forbidden(`${field}.nullable`, "nullable cannot be true at the root"));
  }
  const structural = [...structureFaults(schema, "root", field), ...completenessFaults(schema, field)];
  errors.push(...structural);
  if (structural.length === 0) errors.push(...defaultFaults(schema, field));
  errors.push(...openApiFaults(schema, { field, root: true, inMetadata: false, noDefaults: undefined }));
  if (errors.length > 0) return errors;
  try {
    compiledSchema(schema);
  } catch (error) {
    const { cause, message } = error as Error;
    return cause instanceof RuleError ? ruleFaults(schema, field) : [invalid(field, "", message)];
  }
  return errors;
}

const allowedAtRoot = [
  "Description",
  "Type",
  "Format",
  "Title",
  "Maximum",
  "ExclusiveMaximum",
  "Minimum",
  "ExclusiveMinimum",
  "MaxLength",
  "MinLength",
  "Pattern",
  "MaxItems",
  "MinItems",
  "UniqueItems",
  "MultipleOf",
  "Required",
  "Items",
  "Properties",
  "ExternalDocs",
  "Example",
  "XPreserveUnknownFields",
  "XValidations",
];

/** What the root may say while the schema of `status` can still be taken out of it. */
function rootFaults(schema: JsonObject, field: string): FieldError[] {
  for (const [key, value] of Object.entries(schema)) {
    if (key === "type") {
      if (value === "object") continue;
      const why =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [invalid(`${field}.type`, value, why)];
    }
    if (allowedAtRoot.includes(goFieldName(key))) continue;
    const why = `only [${allowedAtRoot.join(" ")}] fields are allowed at the root of the schema if the status subresource is enabled`;
    return [invalid(field, schema, why)];
  }
  return [];
}

/** `x-kubernetes-validations` is XValidations there. */
function goFieldName(key: string): string {
  return key
    .replace(/^x-kubernetes-/, "x-")
    .split("-")
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}`)
    .join("");
}

type Level = "root" | "item" | "field";

const typeRequired: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

/** What makes a schema no structural one, here and beneath. */
function structureFaults(schema: JsonObject, level: Level, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = text(schema.type);
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const preserve = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const intOrString = schema["x-kubernetes-int-or-string"] === true;
  const { items, additionalProperties } = schema;
  if (type === "array" && items === undefined) errors.push(required(`${field}.items`, "must be specified"));
  if (isObject(items)) errors.push(...structureFaults(items, "item", `${field}.items`));
  const properties = propertiesOf(schema);
  for (const [key, value] of properties) {
    errors.push(...structureFaults(value, "field", `${field}.properties[${key}]`));
  }
  if (additionalProperties !== undefined && level === "root") {
    errors.push(forbidden(`${field}.additionalProperties`, "must not be used at the root"));
  }
  if (isObject(additionalProperties)) {
    errors.push(...structureFaults(additionalProperties, "field", `${field}.additionalProperties`));
  }
  if (intOrString && preserve) {
    const why = "must be false if x-kubernetes-int-or-string is true";
    errors.push(invalid(`${field}.x-kubernetes-preserve-unknown-fields`, true, why));
  }
  if (intOrString && embedded) {
    const why = "must be false if x-kubernetes-int-or-string is true";
    errors.push(invalid(`${field}.x-kubernetes-embedded-resource`, true, why));
  }
  errors.push(...valueFaults(schema, field, isIntOrString(schema.anyOf), isIntOrStringFirst(schema.allOf)));
  if (embedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(`${field}.type`, why) : invalid(`${field}.type`, type, why));
  } else if (type === "" && !intOrString && !preserve) {
    errors.push(required(`${field}.type`, typeRequired[level]));
  }
  if (embedded && additionalProperties !== undefined) {
    const why = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(`${field}.additionalProperties`, why));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalid(`${field}.type`, type, "must be object at the root"));
  }
  if (level === "root" || embedded) errors.push(...metaFaults(new Map(properties), level, field));
  if (embedded && !preserve && properties.length === 0) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${field}.properties`, why));
  }
  return errors;
}

function metaFaults(properties: ReadonlyMap<string, JsonObject>, level: Level, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ["kind", "apiVersion"]) {
    const property = properties.get(key);
    if (property === undefined || property.type === "string") continue;
    errors.push(invalid(`${field}.properties[${key}].type`, text(property.type), "must be string"));
  }
  const metadata = properties.get("metadata");
  if (metadata === undefined) return errors;
  const at = `${field}.properties[metadata]`;
  if (metadata.type !== "object") errors.push(invalid(`${at}.type`, text(metadata.type), "must be object"));
  if (level !== "root") return errors;
  const { type: _type, default: _default, properties: _properties, ...more } = metadata;
  const names = propertiesOf(metadata).map(([key]) => key);
  if (Object.keys(more).length > 0 || names.some((name) => name !== "name" && name !== "generateName")) {
    const why =
      "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbidden(at, why));
  }
  return errors;
}

const intOrStringTypes: Json = [{ type: "integer" }, { type: "string" }];

function isIntOrString(anyOf: Json | undefined): boolean {
  return sameJson(anyOf, intOrStringTypes);
}

function isIntOrStringFirst(allOf: Json | undefined): boolean {
  return Array.isArray(allOf) && isObject(allOf[0]) && isIntOrString(allOf[0].anyOf);
}

/** What a schema says of values only: it may not say what they are made of. */
function valueFaults(
  schema: JsonObject,
  field: string,
  skipAnyOf: boolean,
  skipFirstAllOfAnyOf: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!skipAnyOf) {
    for (const [i, nested] of schemasOf(schema.anyOf)) {
      errors.push(...nestedFaults(nested, `${field}.anyOf[${i}]`));
    }
  }
  for (const [i, nested] of schemasOf(schema.allOf)) {
    errors.push(...nestedFaults(nested, `${field}.allOf[${i}]`, skipFirstAllOfAnyOf && i === 0));
  }
  for (const [i, nested] of schemasOf(schema.oneOf)) {
    errors.push(...nestedFaults(nested, `${field}.oneOf[${i}]`));
  }
  if (isObject(schema.not)) errors.push(...nestedFaults(schema.not, `${field}.not`));
  if (typeof schema.pattern === "string") {
    const why = patternFault(schema.pattern);
    if (why !== undefined) errors.push(invalid(`${field}.pattern`, schema.pattern, why));
  }
  return errors;
}

/** What is not said beneath `not`, `allOf`, `anyOf` and `oneOf`, with the reason. */
const notNested: readonly (readonly [key: string, why: string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function nestedFaults(schema: JsonObject, field: string, skipAnyOf = false): FieldError[] {
  const errors = valueFaults(schema, field, skipAnyOf, false);
  if (isObject(schema.items)) errors.push(...nestedFaults(schema.items, `${field}.items`));
  for (const [key, value] of propertiesOf(schema)) {
    errors.push(...nestedFaults(value, `${field}.properties[${key}]`));
  }
  for (const [key, why] of notNested) {
    if (schema[key] !== undefined) errors.push(forbidden(`${field}.${key}`, why));
  }
  if (propertiesOf(schema).some(([key]) => key === "metadata")) {
    errors.push(forbidden(`${field}.properties[metadata]`, "must not be specified in a nested context"));
  }
  return errors;
}

/** What is said of values must be of fields that the structure has. */
function completenessFaults(schema: JsonObject, field: string): FieldError[] {
  return incomplete(schema, schema, field, field);
}

function incomplete(values: JsonObject, structure: JsonObject, at: string, from: string): FieldError[] {
  const errors: FieldError[] = [];
  if (isObject(values.not)) errors.push(...incompleteNested(values.not, structure, at, `${from}.not`));
  for (const key of ["allOf", "anyOf", "oneOf"]) {
    for (const [i, nested] of schemasOf(values[key])) {
      errors.push(...incompleteNested(nested, structure, at, `${from}.${key}[${i}]`));
    }
  }
  return errors;
}

function incompleteNested(
  values: JsonObject,
  structure: JsonObject | undefined,
  at: string,
  from: string,
): FieldError[] {
  if (structure === undefined) return [required(at, `because it is defined in ${from}`)];
  const errors = incomplete(values, structure, at, from);
  if (isObject(values.items)) {
    const items = isObject(structure.items) ? structure.items : undefined;
    errors.push(...incompleteNested(values.items, items, `${at}.items`, `${from}.items`));
  }
  const properties = new Map(propertiesOf(structure));
  for (const [key, value] of propertiesOf(values)) {
    const below = `.properties[${key}]`;
    errors.push(...incompleteNested(value, properties.get(key), `${at}${below}`, `${from}${below}`));
  }
  return errors;
}

/** Defaults must be what the schema allows, whole and without more. */
function defaultFaults(schema: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.default !== undefined) {
    const compiled = compiledAlone(schema);
    const dropped: string[] = [];
    normalize(compiled, schema.default, "", { dropped, embedded: dropped });
    if (dropped.length > 0) {
      errors.push(invalid(`${field}.default`, schema.default, "must not have unknown fields"));
    }
    const wrong = validateSchema(compiled, schema.default, undefined, { root: `${field}.default` });
    errors.push(...wrong);
    // Rules are written for values of the right shape.
    if (wrong.length === 0) {
      errors.push(...validateRules(compiled, schema.default, undefined, `${field}.default`));
    }
  }
  if (isObject(schema.items)) errors.push(...defaultFaults(schema.items, `${field}.items`));
  for (const [key, value] of propertiesOf(schema)) {
    errors.push(...defaultFaults(value, `${field}.properties[${key}]`));
  }
  return errors;
}

/** The schema without its own default, which would hide what is missing. */
function compiledAlone({ default: _default, ...schema }: JsonObject): ReturnType<typeof compileSchema> {
  try {
    return compileSchema(schema);
  } catch {
    // What cannot be compiled is told of in its place; here it refuses nothing.
    return compileSchema({});
  }
}

interface Place {
  readonly field: string;
  readonly root: boolean;
  readonly inMetadata: boolean;
  /** Why no default is allowed here; undefined: it is. */
  readonly noDefaults: string | undefined;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];
const metaFields: readonly string[] = ["metadata", "kind", "apiVersion"];

/** What of JSON Schema and of Kubernetes' extensions cannot be said, or not so, here and beneath. */
function openApiFaults(schema: JsonObject, place: Place): FieldError[] {
  const { field } = place;
  const errors = [...unsupportedFaults(schema, place)];
  if (schema.uniqueItems === true) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${field}.uniqueItems`, why));
  }
  const { additionalProperties, items } = schema;
  const properties = propertiesOf(schema);
  const inside: Place = { ...place, root: false };
  if (additionalProperties !== undefined && properties.length > 0 && additionalProperties !== true) {
    const why = "additionalProperties and properties are mutual exclusive";
    errors.push(forbidden(`${field}.additionalProperties`, why));
  }
  if (isObject(additionalProperties)) {
    const noDefaults = place.inMetadata
      ? "inside additionalProperties applying to object metadata"
      : place.noDefaults;
    const at = { ...inside, field: `${field}.additionalProperties`, noDefaults };
    errors.push(...openApiFaults(additionalProperties, at));
  }
  for (const [key, value] of properties) {
    const meta =
      (place.root || schema["x-kubernetes-embedded-resource"] === true) && metaFields.includes(key);
    errors.push(
      ...openApiFaults(value, {
        field: `${field}.properties[${key}]`,
        root: false,
        inMetadata: place.inMetadata || meta,
        noDefaults: meta && place.root ? `in top-level ${key}` : place.noDefaults,
      }),
    );
  }
  if (isObject(schema.not)) errors.push(...openApiFaults(schema.not, { ...inside, field: `${field}.not` }));
  for (const key of ["allOf", "oneOf", "anyOf"]) {
    for (const [i, nested] of schemasOf(schema[key])) {
      errors.push(...openApiFaults(nested, { ...inside, field: `${field}.${key}[${i}]` }));
    }
  }
  if (isObject(items)) errors.push(...openApiFaults(items, { ...inside, field: `${field}.items` }));
  errors.push(
    ...extensionFaults(schema, field),
    ...listMapFaults(schema, field),
    ...schemasOf(schema["x-kubernetes-validations"]).flatMap(([i, rule]) =>
      ruleShapeFaults(rule, `${field}.x-kubernetes-validations[${i}]`),
    ),
  );
  return errors;
}

/** Words of JSON Schema that are refused wherever they stand. */
const unsupported = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

function unsupportedFaults(schema: JsonObject, { field, inMetadata, noDefaults }: Place): FieldError[] {
  const errors: FieldError[] = [];
  const type = text(schema.type);
  if (type !== "" && !types.includes(type)) errors.push(notSupported(`${field}.type`, type, types));
  if (schema.default !== undefined && noDefaults !== undefined) {
    errors.push(forbidden(`${field}.default`, `must not be set ${noDefaults}`));
  }
  for (const key of unsupported) {
    if (schema[key] !== undefined) errors.push(forbidden(`${field}.${key}`, `${key} is not supported`));
  }
  if (type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbidden(`${field}.type`, why));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(`${field}.items`, "items must be a schema object and not an array"));
  }
  if (inMetadata && schema["x-kubernetes-embedded-resource"] === true) {
    const why = "must not be used inside of resource meta";
    errors.push(forbidden(`${field}.x-kubernetes-embedded-resource`, why));
  }
  return errors;
}

function extensionFaults(schema: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = text(schema.type);
  const mapType = schema["x-kubernetes-map-type"];
  const listType = schema["x-kubernetes-list-type"];
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(invalid(`${field}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  if (mapType !== undefined && type !== "object") {
    const why = "must be object if x-kubernetes-map-type is specified";
    errors.push(type === "" ? required(`${field}.type`, why) : invalid(`${field}.type`, type, why));
  }
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(`${field}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  }
  if (listType === undefined) return errors;
  if (type !== "array") {
    const why = "must be array if x-kubernetes-list-type is specified";
    errors.push(type === "" ? required(`${field}.type`, why) : invalid(`${field}.type`, type, why));
  } else if (listType === "set" && isObject(schema.items)) {
    const { items } = schema;
    const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    const inner = items["x-kubernetes-list-type"];
    if (items.type === "array" && inner !== undefined && inner !== "atomic") {
      errors.push(invalid(`${field}.items.x-kubernetes-list-type`, inner, why));
    }
    if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
      errors.push(invalid(`${field}.items.x-kubernetes-map-type`, inner ?? null, why));
    }
  }
  if (listType !== "atomic" && listType !== "set" && listType !== "map") {
    errors.push(notSupported(`${field}.x-kubernetes-list-type`, listType, ["atomic", "set", "map"]));
  }
  return errors;
}

function listMapFaults(schema: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const listType = schema["x-kubernetes-list-type"];
  const keys = texts(schema["x-kubernetes-list-map-keys"]);
  const items = isObject(schema.items) ? schema.items : undefined;
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const at = `${field}.x-kubernetes-list-type`;
    errors.push(listType === undefined ? required(at, why) : invalid(at, listType, why));
  }
  if ((listType === "set" || listType === "map") && items?.nullable === true) {
    const why = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(`${field}.items.nullable`, why));
  }
  if (listType !== "map") return errors;
  const keysField = `${field}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) {
    errors.push(required(keysField, "must not be empty if x-kubernetes-list-type is map"));
  }
  if (schema.items === undefined) {
    errors.push(required(`${field}.items`, "must have a schema if x-kubernetes-list-type is map"));
  }
  if (items === undefined) return errors;
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${field}.items.type`, text(items.type), why));
    return errors;
  }
  const properties = new Map(propertiesOf(items));
  for (const [i, key] of keys.entries()) {
    const property = properties.get(key);
    const at = `${field}.items.properties[${key}]`;
    if (property === undefined) {
      errors.push(invalid(keysField, keys, "entries must all be names of item properties"));
    } else {
      if (property.type === "array" || property.type === "object") {
        const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.push(invalid(`${at}.type`, items.type, why));
      }
      if (!texts(items.required).includes(key) && property.default === undefined) {
        const why =
          "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
        errors.push(required(`${at}.default`, why));
      }
      if (property.nullable === true) {
        const why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
        errors.push(forbidden(`${at}.nullable`, why));
      }
    }
    if (keys.indexOf(key) < i) errors.push(invalid(keysField, keys, "must not contain duplicate entries"));
  }
  return errors;
}

function patternFault(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `must be a valid regular expression, but isn't: ${(error as Error).message}`;
  }
}

function propertiesOf({ properties }: JsonObject): readonly (readonly [string, JsonObject])[] {
  if (!isObject(properties)) return [];
  return Object.entries(properties).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));
}

function schemasOf(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  if (!Array.isArray(value)) return [];
  return [...value.entries()].filter((entry): entry is [number, JsonObject] => isObject(entry[1]));
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
