/** `authorization.k8s.io/v1`: reviews, which are answered and never stored. */
import { always, bool, list, map, omitempty, pointer, type StructType, string, struct } from "../types.ts";
import { objectMeta, selectorRequirement } from "./meta.ts";

const selectorAttributes = struct("SelectorAttributes", {
  rawSelector: omitempty(1, string),
  requirements: omitempty(2, list(selectorRequirement)),
});

const resourceAttributes = struct("ResourceAttributes", {
  namespace: omitempty(1, string),
  verb: omitempty(2, string),
  group: omitempty(3, string),
  version: omitempty(4, string),
  resource: omitempty(5, string),
  subresource: omitempty(6, string),
  name: omitempty(7, string),
  fieldSelector: pointer(8, selectorAttributes),
  labelSelector: pointer(9, selectorAttributes),
});

const nonResourceAttributes = struct("NonResourceAttributes", {
  path: omitempty(1, string),
  verb: omitempty(2, string),
});

const attributes = {
  resourceAttributes: pointer(1, resourceAttributes),
  nonResourceAttributes: pointer(2, nonResourceAttributes),
};

const subjectAccessReviewSpec = struct("SubjectAccessReviewSpec", {
  ...attributes,
  user: omitempty(3, string),
  groups: omitempty(4, list(string)),
  extra: omitempty(5, map(list(string))),
  uid: omitempty(6, string),
});

const subjectAccessReviewStatus = struct("SubjectAccessReviewStatus", {
  allowed: always(1, bool),
  denied: omitempty(4, bool),
  reason: omitempty(2, string),
  evaluationError: omitempty(3, string),
});

export const selfSubjectAccessReview = accessReview(
  "SelfSubjectAccessReview",
  struct("SelfSubjectAccessReviewSpec", attributes),
);
export const subjectAccessReview = accessReview("SubjectAccessReview", subjectAccessReviewSpec);
export const localSubjectAccessReview = accessReview("LocalSubjectAccessReview", subjectAccessReviewSpec);

const resourceRule = struct("ResourceRule", {
  verbs: always(1, list(string)),
  apiGroups: omitempty(2, list(string)),
  resources: omitempty(3, list(string)),
  resourceNames: omitempty(4, list(string)),
});

const nonResourceRule = struct("NonResourceRule", {
  verbs: always(1, list(string)),
  nonResourceURLs: omitempty(2, list(string)),
});

export const selfSubjectRulesReview = struct("SelfSubjectRulesReview", {
  metadata: omitempty(1, objectMeta),
  spec: always(2, struct("SelfSubjectRulesReviewSpec", { namespace: omitempty(1, string) })),
  status: omitempty(
    3,
    struct("SubjectRulesReviewStatus", {
      resourceRules: always(1, list(resourceRule)),
      nonResourceRules: always(2, list(nonResourceRule)),
      incomplete: always(3, bool),
      evaluationError: omitempty(4, string),
    }),
  ),
});

function accessReview(name: string, spec: StructType): StructType {
  return struct(name, {
    metadata: omitempty(1, objectMeta),
    spec: always(2, spec),
    status: omitempty(3, subjectAccessReviewStatus),
  });
}
