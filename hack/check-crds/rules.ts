/** What a definition must say beyond what Kubernetes asks for. (Cluster API's `.golangci-kal.yml` is the model.) */
import type { Crd, CrdVersion, Schema } from "../generate/crds.ts";

/** Everything that is missing from `crd`, each as `where: what. What to do.`; empty when it is complete. */
export function problemsOf(crd: Crd): string[] {
  return [...namingProblems(crd), ...crd.spec.versions.flatMap(versionProblems)];
}

function namingProblems({ spec: { names } }: Crd): string[] {
  const problems: string[] = [];
  if ((names.shortNames ?? []).length === 0) problems.push("spec.names: no short name. Add shortNames.");
  if (!(names.categories ?? []).includes("bosun")) {
    problems.push("spec.names: not in the category bosun. Add it to categories.");
  }
  return problems;
}

function versionProblems(version: CrdVersion): string[] {
  const problems: string[] = [];
  if (version.subresources?.status === undefined) {
    problems.push(`${version.name}: no status subresource. Add "subresources: {status: {}}".`);
  }
  if ((version.additionalPrinterColumns ?? []).length === 0) {
    problems.push(
      `${version.name}: no printer columns. Add additionalPrinterColumns, so that a listing tells the story.`,
    );
  }
  return [
    ...problems,
    ...columnProblems(version),
    ...selectableProblems(version),
    ...schemaProblems(version.schema.openAPIV3Schema, "", undefined),
  ];
}

/** A column of another type than its field, or of a field that there is not, is an empty column. */
function columnProblems({ additionalPrinterColumns = [], schema }: CrdVersion): string[] {
  return additionalPrinterColumns.flatMap(({ name, type, jsonPath, description }) => {
    const field = fieldAt(schema.openAPIV3Schema, jsonPath);
    if (field === undefined) return [`column ${name}: the schema has no ${jsonPath}. Mend the path.`];
    const wanted = field.format === "date-time" && type === "date" ? "date" : field.type;
    if (type !== wanted) return [`column ${name}: ${jsonPath} is no ${type}. Write type: ${wanted}.`];
    return description === undefined ? [`column ${name}: no description. Say what it shows.`] : [];
  });
}

function selectableProblems({ selectableFields = [], schema }: CrdVersion): string[] {
  return selectableFields.flatMap(({ jsonPath }) => {
    const type = jsonPath.includes("[") ? undefined : fieldAt(schema.openAPIV3Schema, jsonPath)?.type;
    return type === "string" || type === "integer" || type === "boolean"
      ? []
      : [`selectable field ${jsonPath}: no string, integer or boolean is there. Mend the path.`];
  });
}

const creationTimestamp: Schema = { type: "string", format: "date-time" };

/** What `.a.b[?(@.type=='X')].c` names in `schema`. */
function fieldAt(schema: Schema, jsonPath: string): Schema | undefined {
  if (jsonPath === ".metadata.creationTimestamp") return creationTimestamp;
  const steps = jsonPath.match(/\.[A-Za-z]\w*|\[\?\(@\.\w+=='[^']*'\)\]/g) ?? [];
  if (steps.join("") !== jsonPath) return undefined;
  return steps.reduce<Schema | undefined>(
    (at, step) => (step.startsWith("[") ? at?.items : at?.properties?.[step.slice(1)]),
    schema,
  );
}

/** @param field - the property's name; undefined for the root and for items, which no name can start */
function schemaProblems(schema: Schema, at: string, field: string | undefined): string[] {
  // An API server refuses a definition that says more of metadata than that it is an object.
  if (at === ".metadata") return [];
  return [
    ...descriptionProblems(schema, at, field),
    ...boundProblems(schema, at),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
      schemaProblems(child, `${at}.${name}`, name),
    ),
    ...(schema.items === undefined ? [] : schemaProblems(schema.items, `${at}[]`, undefined)),
    ...(typeof schema.additionalProperties === "object"
      ? schemaProblems(schema.additionalProperties, `${at}{}`, undefined)
      : []),
  ];
}

function descriptionProblems(schema: Schema, at: string, field: string | undefined): string[] {
  const description = schema.description?.trim() ?? "";
  if (description === "") return [`${at || "the root"}: no description. Say what it is.`];
  if (field !== undefined && !description.startsWith(`${field} `)) {
    return [`${at}: the description must start with the field's name. Write "${field} is ...".`];
  }
  return [];
}

function boundProblems(schema: Schema, at: string): string[] {
  const missing = missingBound(schema);
  return missing === undefined ? [] : [`${at}: an unbounded ${schema.type}. Add ${missing}.`];
}

function missingBound(schema: Schema): string | undefined {
  switch (schema.type) {
    case "string":
      return (schema.enum ?? schema.maxLength ?? schema.format) ? undefined : "maxLength, enum or format";
    case "integer":
    case "number":
      if (schema.enum !== undefined) return undefined;
      return schema.minimum === undefined || schema.maximum === undefined ? "minimum and maximum" : undefined;
    case "array":
      return schema.maxItems === undefined ? "maxItems" : undefined;
    case "object":
      return schema.additionalProperties !== undefined && schema.maxProperties === undefined
        ? "maxProperties"
        : undefined;
    default:
      return undefined;
  }
}
