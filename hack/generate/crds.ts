/** CustomResourceDefinitions as the generators and checks read them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

/** A structural schema: the part of OpenAPI v3 that `apiextensions.k8s.io/v1` allows. */
export interface Schema {
  type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  description?: string;
  default?: unknown;
  nullable?: boolean;
  enum?: string[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  minProperties?: number;
  maxProperties?: number;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: "granular" | "atomic";
  "x-kubernetes-validations"?: ValidationRule[];
}

/** A CEL rule over the value that it stands at. */
export interface ValidationRule {
  rule: string;
  message?: string;
  /** The field that is at fault, relative to where the rule stands: `.tasks`. */
  fieldPath?: string;
}

export interface PrinterColumn {
  name: string;
  type: string;
  jsonPath: string;
  format?: string;
  description?: string;
  /** 0 or absent: always shown; above: with `-o wide` only. */
  priority?: number;
}

export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  subresources?: { status?: object; scale?: object };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
  schema: { openAPIV3Schema: Schema };
}

export interface Crd {
  metadata: { name: string; annotations?: Record<string, string> };
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: {
      kind: string;
      listKind?: string;
      plural: string;
      singular?: string;
      shortNames?: string[];
      categories?: string[];
    };
    versions: CrdVersion[];
  };
}

/** A definition with the name of the file that it came from. */
export interface CrdFile {
  file: string;
  crd: Crd;
}

/** Every definition in the `*.yaml` files of `folder`, by file name. */
export function readCrds(folder: string): CrdFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => ({ file, crd: parse(readFileSync(path.join(folder, file), "utf8")) as Crd }));
}

/** The version whose objects are stored: the one that the types describe. */
export function storageVersion(crd: Crd): CrdVersion {
  const version = crd.spec.versions.find((candidate) => candidate.storage);
  if (version === undefined) throw new Error(`${crd.metadata.name} has no version with "storage: true".`);
  return version;
}
