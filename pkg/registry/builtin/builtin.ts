import { deepFreeze } from "../json.ts";
import { allVerbs, type Builtin, type Resource, resourceId } from "../resource.ts";
import { compileSchema } from "../schema/schema.ts";
import { openApiSchema } from "../typed/openapi.ts";
import { readTyped } from "../typed/read.ts";
import type { StructType } from "../typed/types.ts";

type Peculiarities = Partial<Omit<Builtin, "type" | "body" | "table">> & Pick<Builtin, "table">;

/** The resource of a kind of Kubernetes' own: what is not said is as with most of them. */
export function builtinResource(
  type: StructType,
  {
    createOnUpdate = false,
    table,
    nameFaults,
    defaults,
    prepare,
    validate,
    held,
    neverOwner = false,
    ...resource
  }: Pick<Resource, "version" | "plural" | "namespaced"> & Partial<Resource> & Peculiarities,
): Resource {
  const group = resource.group ?? "";
  const id = resourceId(group, resource.plural);
  const body = withoutMetadata(type);
  const declaredSchema = openApiSchema(type);
  return {
    group,
    kind: type.name,
    listKind: `${type.name}List`,
    singular: type.name.toLowerCase(),
    shortNames: [],
    categories: [],
    id,
    store: id,
    view: undefined,
    builtin: {
      type,
      body,
      createOnUpdate,
      neverOwner,
      table,
      ...(nameFaults === undefined ? {} : { nameFaults }),
      ...(defaults === undefined ? {} : { defaults }),
      ...(prepare === undefined ? {} : { prepare }),
      ...(validate === undefined ? {} : { validate }),
      ...(held === undefined ? {} : { held }),
    },
    verbs: allVerbs,
    schema: compileSchema(declaredSchema),
    declaredSchema,
    emptyBody: deepFreeze(readTyped(body, {})),
    statusSubresource: false,
    scale: undefined,
    generation: false,
    unconditionalUpdate: true,
    printerColumns: [],
    selectableFields: undefined,
    annotations: {},
    ...resource,
  };
}

/** Metadata is read by the registry's own rules. */
function withoutMetadata(type: StructType): StructType {
  return { ...type, fields: new Map([...type.fields].filter(([name]) => name !== "metadata")) };
}
