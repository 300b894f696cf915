import type { ObjectMeta } from "../../api/meta.ts";
import { type FieldError, invalid, required } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { validateNewMetadata } from "../metadata.ts";
import { dnsLabelFaults, pathSegmentFaults } from "../names.ts";
import type { Schema } from "./schema.ts";

/** What is wrong with objects within the object as objects: an apiVersion, a kind and metadata like any. */
export function validateEmbedded(schema: Schema, value: Json, path = ""): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.hasEmbedded) check(schema, value, path, errors);
  return errors;
}

function check(schema: Schema, value: Json, path: string, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) {
      value.forEach((item, i) => {
        check(items, item, `${path}[${i}]`, errors);
      });
    }
  } else if (isObject(value)) {
    if (schema.embeddedResource) checkResource(value, path, errors);
    for (const key of Object.keys(value)) {
      const declared = schema.properties.get(key);
      const property = declared ?? schema.additionalProperties;
      if (property === undefined || !property.hasEmbedded) continue;
      const inner = declared === undefined ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      check(property, value[key] as Json, inner, errors);
    }
  }
}

function checkResource({ apiVersion, kind, metadata }: JsonObject, path: string, errors: FieldError[]): void {
  const at = (field: string): string => (path === "" ? field : `${path}.${field}`);
  if (apiVersion === undefined) errors.push(required(at("apiVersion")));
  else if (apiVersion === "") errors.push(invalid(at("apiVersion"), apiVersion, "must not be empty"));
  else if (String(apiVersion).split("/").length > 2) {
    errors.push(invalid(at("apiVersion"), apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  if (kind === undefined) errors.push(required(at("kind")));
  else if (kind === "") errors.push(invalid(at("kind"), kind, "must not be empty"));
  else {
    const faults = dnsLabelFaults(String(kind).toLowerCase());
    const text = `may have mixed case, but should otherwise match: ${kindRule}`;
    if (faults.length > 0 || /^\d/.test(String(kind))) errors.push(invalid(at("kind"), kind, text));
  }
  if (metadata === undefined) return;
  const { name, namespace, ...rest } = metadata as unknown as ObjectMeta;
  const checked = validateNewMetadata({ ...rest, name: name || "fakename" }, pathSegmentFaults);
  const ofNamespace = namespace === undefined ? [] : dnsLabelFaults(namespace);
  const all = [
    ...checked.filter(({ field }) => field === "metadata.name"),
    ...ofNamespace.map((fault) => invalid("metadata.namespace", namespace, fault)),
    ...checked.filter(({ field }) => field !== "metadata.name"),
  ];
  errors.push(...all.map((error) => ({ ...error, field: at(error.field) })));
}

const kindRule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
