/** `apiextensions.k8s.io/v1`: CustomResourceDefinition. Its fields have no protobuf numbers, as nobody sends it so. */
import { isObject } from "../../json.ts";
import {
  always,
  bool,
  bytes,
  type Field,
  float64,
  type GoType,
  int32,
  int64,
  json,
  keyed,
  list,
  map,
  omitempty,
  pointer,
  recursiveStruct,
  type StructType,
  string,
  struct,
  time,
} from "../types.ts";
import { objectMeta } from "./meta.ts";

const value = (type: GoType): Field => omitempty(0, type);
const maybe = (type: GoType): Field => pointer(0, type);
const shown = (type: GoType): Field => always(0, type);

const validationRule = struct("ValidationRule", {
  rule: shown(string),
  message: value(string),
  messageExpression: value(string),
  reason: maybe(string),
  fieldPath: value(string),
  optionalOldSelf: maybe(bool),
});

const jsonSchemaProps = recursiveStruct("JSONSchemaProps", (self) => ({
  id: value(string),
  $schema: value(string),
  $ref: maybe(string),
  description: value(string),
  type: value(string),
  format: value(string),
  title: value(string),
  default: maybe(json),
  maximum: maybe(float64),
  exclusiveMaximum: value(bool),
  minimum: maybe(float64),
  exclusiveMinimum: value(bool),
  maxLength: maybe(int64),
  minLength: maybe(int64),
  pattern: value(string),
  maxItems: maybe(int64),
  minItems: maybe(int64),
  uniqueItems: value(bool),
  multipleOf: maybe(float64),
  enum: value(list(json)),
  maxProperties: maybe(int64),
  minProperties: maybe(int64),
  required: value(list(string)),
  items: maybe(either(self, list(self))),
  allOf: value(list(self)),
  oneOf: value(list(self)),
  anyOf: value(list(self)),
  not: maybe(self),
  properties: value(map(self)),
  additionalProperties: maybe(either(self, bool)),
  patternProperties: value(map(self)),
  dependencies: value(map(either(self, list(string)))),
  additionalItems: maybe(either(self, bool)),
  definitions: value(map(self)),
  externalDocs: maybe(struct("ExternalDocumentation", { description: value(string), url: value(string) })),
  example: maybe(json),
  nullable: value(bool),
  "x-kubernetes-preserve-unknown-fields": maybe(bool),
  "x-kubernetes-embedded-resource": value(bool),
  "x-kubernetes-int-or-string": value(bool),
  "x-kubernetes-list-map-keys": value(list(string)),
  "x-kubernetes-list-type": maybe(string),
  "x-kubernetes-map-type": maybe(string),
  "x-kubernetes-validations": value(keyed(validationRule, "rule")),
}));

const names = struct("CustomResourceDefinitionNames", {
  plural: shown(string),
  singular: value(string),
  shortNames: value(list(string)),
  kind: shown(string),
  listKind: value(string),
  categories: value(list(string)),
});

const version = struct("CustomResourceDefinitionVersion", {
  name: shown(string),
  served: shown(bool),
  storage: shown(bool),
  deprecated: value(bool),
  deprecationWarning: maybe(string),
  schema: maybe(struct("CustomResourceValidation", { openAPIV3Schema: maybe(jsonSchemaProps) })),
  subresources: maybe(
    struct("CustomResourceSubresources", {
      status: maybe(struct("CustomResourceSubresourceStatus", {})),
      scale: maybe(
        struct("CustomResourceSubresourceScale", {
          specReplicasPath: shown(string),
          statusReplicasPath: shown(string),
          labelSelectorPath: maybe(string),
        }),
      ),
    }),
  ),
  additionalPrinterColumns: value(
    list(
      struct("CustomResourceColumnDefinition", {
        name: shown(string),
        type: shown(string),
        format: value(string),
        description: value(string),
        priority: value(int32),
        jsonPath: shown(string),
      }),
    ),
  ),
  selectableFields: value(list(struct("SelectableField", { jsonPath: shown(string) }))),
});

const webhook = struct("WebhookConversion", {
  clientConfig: maybe(
    struct("WebhookClientConfig", {
      url: maybe(string),
      service: maybe(
        struct("ServiceReference", {
          namespace: shown(string),
          name: shown(string),
          path: maybe(string),
          port: maybe(int32),
        }),
      ),
      caBundle: value(bytes),
    }),
  ),
  conversionReviewVersions: shown(list(string)),
});

const spec = struct("CustomResourceDefinitionSpec", {
  group: shown(string),
  names: shown(names),
  scope: shown(string),
  versions: shown(list(version)),
  conversion: maybe(struct("CustomResourceConversion", { strategy: shown(string), webhook: maybe(webhook) })),
  preserveUnknownFields: value(bool),
});

const condition = struct("CustomResourceDefinitionCondition", {
  type: shown(string),
  status: shown(string),
  lastTransitionTime: value(time),
  reason: value(string),
  message: value(string),
  observedGeneration: value(int64),
});

export const customResourceDefinition = struct("CustomResourceDefinition", {
  metadata: shown(objectMeta),
  spec: shown(spec),
  status: value(
    struct("CustomResourceDefinitionStatus", {
      conditions: shown(keyed(condition, "type")),
      acceptedNames: shown(names),
      storedVersions: shown(list(string)),
      observedGeneration: value(int64),
    }),
  ),
});

/** An object, or what may stand in its place. */
function either(object: StructType, other: GoType): GoType {
  return { is: "either", first: object, second: other, fits: isObject };
}
