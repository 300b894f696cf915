/** What a person may write under `metadata`. */
import type { JsonSchema } from "./rule-schema.ts";

const label = "[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?";
const subdomain = "[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*";

/**
 * ObjectMeta as a file has it: a name, labels, annotations, and the one namespace that files have. What the server
 * sets, finalizers and owners are no part of a file, and are ignored there.
 */
export function objectMetaSchema(): JsonSchema {
  return {
    description: "metadata is the standard object's metadata.",
    type: "object",
    required: ["name"],
    properties: {
      name: {
        description:
          "name tells it from others of its kind; it can't be changed. Lower-case letters, digits, dashes and dots.",
        type: "string",
        minLength: 1,
        maxLength: 253,
        pattern: `^${subdomain}$`,
        patternErrorMessage:
          "The name must consist of lower-case letters, digits, '-' and '.', and begin and end with a letter or digit.",
      },
      namespace: {
        description: "namespace is default, the one namespace of a workspace of files; leave it out.",
        type: "string",
        enum: ["default"],
      },
      labels: {
        description: "labels are short keys and values to select it by, such as with `kubectl get -l`.",
        type: "object",
        propertyNames: { pattern: `^(${subdomain}/)?${label}$` },
        additionalProperties: { type: "string", maxLength: 63, pattern: `^(${label})?$` },
      },
      annotations: {
        description: "annotations are notes of any length for people and tools; nothing selects by them.",
        type: "object",
        propertyNames: { pattern: `^(${subdomain}/)?${label}$` },
        additionalProperties: { type: "string" },
      },
    },
    additionalProperties: false,
  };
}
