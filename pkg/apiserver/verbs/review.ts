import type { KubeObject } from "../../api/meta.ts";
import { checkStrictly, type Strictness } from "../../registry/admission/context.ts";
import { checkKind, checkVersion, decode } from "../../registry/admission/decode.ts";
import { type AccessSpec, reviewResources } from "../../registry/builtin/review.ts";
import type { JsonObject } from "../../registry/json.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import { badRequest, invalidObject } from "../../registry/status-errors.ts";
import { readTyped } from "../../registry/typed/read.ts";
import { timestamp } from "../../runtime/clock.ts";
import { isAllowed } from "../auth/authorize.ts";
import { type User, userCalled } from "../auth/user.ts";
import type { RequestInfo } from "../request-info.ts";

/** Whether what is posted to a resource is a question, answered at once and never stored. */
export function isReview(resource: Resource): boolean {
  return answers.has(resource);
}

/**
 * The posted review with its answer in it.
 *
 * @param namespace - the one addressed, where the review is of one
 */
export function answerReview(
  resource: Resource,
  posted: unknown,
  { user, namespace, ...strictness }: Asking,
): KubeObject {
  const decoded = decode(resource, posted, strictness);
  checkStrictly(strictness, resource, decoded);
  checkVersion(resource, decoded);
  checkKind(resource, decoded);
  const { metadata: declared, body } = decoded;
  const metadata =
    namespace === undefined ? declared : { ...declared, namespace: declared.namespace ?? namespace };
  if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const review = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...body } as KubeObject;
  const errors = resource.builtin?.validate?.(review, undefined) ?? [];
  if (errors.length > 0) throw invalidObject(resource, "", errors, "");
  const answer = { ...review, ...answers.get(resource)?.(review, user) };
  const { builtin } = resource;
  const fields = answer as unknown as JsonObject;
  const { apiVersion, kind } = review;
  return {
    apiVersion,
    kind,
    ...(builtin === undefined ? fields : readTyped(builtin.type, fields)),
  } as KubeObject;
}

interface Asking extends Strictness {
  readonly user: User;
  readonly namespace: string | undefined;
}

/** What is to be seen in place of what was posted. */
type Answer = (review: KubeObject, user: User) => Partial<KubeObject>;

const answers: ReadonlyMap<Resource, Answer> = new Map<Resource, Answer>([
  [reviewResources.selfSubjectAccess, (review, user) => access(review, user)],
  [reviewResources.subjectAccess, (review) => access(review, subject(review))],
  [reviewResources.localSubjectAccess, (review) => access(review, subject(review))],
  [reviewResources.selfSubjectRules, (_review, user) => ({ status: rules(user) })],
  [
    reviewResources.selfSubject,
    ({ metadata }, { name, groups }) => ({
      metadata: { ...metadata, creationTimestamp: timestamp(Date.now()) },
      status: { userInfo: { username: name, groups } },
    }),
  ],
]);

function access(review: KubeObject, user: User): Partial<KubeObject> {
  return { status: { allowed: isAllowed(user, request(review.spec as AccessSpec)) } };
}

function subject(review: KubeObject): User {
  const { user = "", groups = [] } = review.spec as AccessSpec;
  return userCalled(user, groups);
}

/** The request that a review asks about. */
function request({ resourceAttributes, nonResourceAttributes }: AccessSpec): RequestInfo {
  if (resourceAttributes === undefined) {
    const { path = "", verb = "" } = nonResourceAttributes ?? {};
    return { method: "", verb, path, resource: undefined };
  }
  const { verb = "", group = "", version = "", resource = "", subresource = "" } = resourceAttributes;
  const { namespace = "", name = "" } = resourceAttributes;
  return { method: "", verb, path: "", resource: { group, version, resource, subresource, namespace, name } };
}

/** All that a user may do, whatever the namespace. */
function rules({ rights }: User): object {
  const verbs = { All: ["*"], Read: ["get", "list", "watch"], None: [] }[rights];
  const resourceRules = verbs.length === 0 ? [] : [{ verbs, apiGroups: ["*"], resources: ["*"] }];
  const nonResourceVerbs = { All: ["*"], Read: ["get", "head"], None: [] }[rights];
  const nonResourceRules =
    nonResourceVerbs.length === 0 ? [] : [{ verbs: nonResourceVerbs, nonResourceURLs: ["*"] }];
  return { resourceRules, nonResourceRules, incomplete: false };
}
