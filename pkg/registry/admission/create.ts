import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { timestamp } from "../../runtime/clock.ts";
import { generatedName } from "../names.ts";
import type { Resource } from "../resource.ts";
import { alreadyExists, badRequest } from "../status-errors.ts";
import { type Context, checkObject, reportDropped } from "./context.ts";
import { assemble, decode, withoutStatus } from "./decode.ts";
import { checkTerminating } from "./definition.ts";
import { checkNamespace } from "./namespace.ts";

/** Stages a new object and returns it as stored. `namespace` is the one addressed. */
export function create(context: Context, resource: Resource, namespace: string, input: unknown): KubeObject {
  const { staging } = context;
  const { metadata: declared, body, dropped } = decode(resource, input);
  reportDropped(context, dropped);
  if (resource.namespaced && declared.namespace !== undefined && declared.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (declared.resourceVersion !== undefined) {
    throw new StatusError(500, "", "resourceVersion should not be set on objects to be created");
  }
  const metadata = newMetadata(context, resource, namespace, declared);
  checkTerminating(resource, metadata.name);
  checkNamespace(context, resource, namespace, metadata.name);
  const assembled = assemble(resource, metadata, resource.statusSubresource ? withoutStatus(body) : body);
  const object = resource.builtin?.prepare?.(assembled, undefined) ?? assembled;
  checkObject(resource, object, undefined);
  const key = { namespace: resource.namespaced ? namespace : "", name: metadata.name };
  const existing = staging.get(resource, key);
  if (existing !== undefined) {
    const deleting = existing.metadata.deletionTimestamp !== undefined;
    throw alreadyExists(resource, key.name, deleting ? "object is being deleted: " : "");
  }
  return staging.put(resource, key, object);
}

function newMetadata(
  context: Context,
  resource: Resource,
  namespace: string,
  declared: ObjectMeta,
): ObjectMeta {
  const { generateName, labels, annotations, finalizers, ownerReferences } = declared;
  const generate = declared.name === "" && generateName !== undefined;
  return {
    name: generate ? generatedName(generateName, context.random) : declared.name,
    ...(generateName === undefined ? {} : { generateName }),
    ...(resource.namespaced ? { namespace } : {}),
    uid: context.ids.uuid(),
    ...(resource.generation ? { generation: 1 } : {}),
    creationTimestamp: timestamp(context.clock.now()),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}
