import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { type FieldError, invalid } from "../field-error.ts";
import type { Resource } from "../resource.ts";
import { selfSubjectReview } from "../typed/kinds/authentication.ts";
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from "../typed/kinds/authorization.ts";
import type { StructType } from "../typed/types.ts";
import { builtinResource } from "./builtin.ts";
import { ageColumn, nameColumn } from "./columns.ts";

export interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
}

export interface NonResourceAttributes {
  readonly path?: string;
  readonly verb?: string;
}

/** What the three reviews of access ask; only two of them name a user. */
export interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
  readonly user?: string;
  readonly groups?: readonly string[];
}

const authorization = { group: "authorization.k8s.io", version: "v1" } as const;

/**
 * Questions that are posted and answered at once. What the answer is depends on who asks, so whoever knows that gives
 * it; the registry only reads and checks them.
 */
export const reviewResources = {
  selfSubjectAccess: review(selfSubjectAccessReview, {
    ...authorization,
    plural: "selfsubjectaccessreviews",
    validate: (object) => [...validateAccess(object), ...validateEmpty(object.metadata)],
  }),
  selfSubjectRules: review(selfSubjectRulesReview, {
    ...authorization,
    plural: "selfsubjectrulesreviews",
  }),
  subjectAccess: review(subjectAccessReview, {
    ...authorization,
    plural: "subjectaccessreviews",
    validate: (object) => [
      ...validateAccess(object),
      ...validateSubject(object),
      ...validateEmpty(object.metadata),
    ],
  }),
  localSubjectAccess: review(localSubjectAccessReview, {
    ...authorization,
    plural: "localsubjectaccessreviews",
    namespaced: true,
    validate: (object) => [...validateAccess(object), ...validateSubject(object), ...validateLocal(object)],
  }),
  selfSubject: review(selfSubjectReview, {
    group: "authentication.k8s.io",
    version: "v1",
    plural: "selfsubjectreviews",
  }),
};

function review(
  type: StructType,
  options: Pick<Resource, "group" | "version" | "plural"> &
    Partial<Pick<Resource, "namespaced">> & { validate?: (object: KubeObject) => readonly FieldError[] },
): Resource {
  return builtinResource(type, {
    namespaced: false,
    verbs: ["create"],
    table: { columns: [nameColumn, ageColumn], cells: () => ["", ""] },
    ...options,
  });
}

function validateAccess(object: KubeObject): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = object.spec as AccessSpec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    // kube-apiserver prints the fields as its own code names them.
    const { path = "", verb = "" } = nonResourceAttributes;
    const why = "cannot be specified in combination with resourceAttributes";
    return [invalid("spec.nonResourceAttributes", { Path: path, Verb: verb }, why)];
  }
  if (resourceAttributes !== undefined || nonResourceAttributes !== undefined) return [];
  const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [invalid("spec.resourceAttributes", null, why)];
}

function validateSubject(object: KubeObject): FieldError[] {
  const { user = "", groups = [] } = object.spec as AccessSpec;
  if (user !== "" || groups.length > 0) return [];
  return [invalid("spec.user", "", "at least one of user or group must be specified")];
}

function validateEmpty(metadata: ObjectMeta): FieldError[] {
  const said = stated(metadata);
  return Object.keys(said).length === 0 ? [] : [invalid("metadata", said, "must be empty")];
}

function validateLocal(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { namespace = "", ...said } = stated(object.metadata);
  if (Object.keys(said).length > 0) {
    errors.push(invalid("metadata", stated(object.metadata), "must be empty except for namespace"));
  }
  const { resourceAttributes, nonResourceAttributes } = object.spec as AccessSpec;
  if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? "") !== namespace) {
    const field = "spec.resourceAttributes.namespace";
    errors.push(invalid(field, resourceAttributes.namespace ?? "", "must match metadata.namespace"));
  }
  if (nonResourceAttributes !== undefined) {
    const { path = "", verb = "" } = nonResourceAttributes;
    const why = "disallowed on this kind of request";
    errors.push(invalid("spec.nonResourceAttributes", { Path: path, Verb: verb }, why));
  }
  return errors;
}

function stated({ name, ...metadata }: ObjectMeta): Partial<ObjectMeta> {
  return name === "" ? metadata : { name, ...metadata };
}
