import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { timestamp } from "../../runtime/clock.ts";
import type { JsonObject } from "../json.ts";
import type { Managers } from "../managed-fields/managers.ts";
import { dedupOwners, finalizerWarnings } from "../metadata.ts";
import { generatedName } from "../names.ts";
import type { Resource } from "../resource.ts";
import { alreadyExists, generatedNameExists } from "../status-errors.ts";
import { checkNew } from "./check.ts";
import { type Context, checkNamespaceMatches, checkStrictly } from "./context.ts";
import { assemble, checkKind, checkVersion, type Decoded, decode, withoutStatus } from "./decode.ts";
import { checkTerminating } from "./definition.ts";
import { ownersOfNew, withOwners } from "./field-owners.ts";
import { checkNamespace } from "./namespace.ts";
import { warnOfDuplicateOwners } from "./owners.ts";

/**
 * Stages a new object and returns it as stored. `namespace` is the one addressed.
 *
 * @param name - the name addressed, where the path has one; it does not have to be the object's
 */
export function create(
  context: Context,
  resource: Resource,
  namespace: string,
  input: unknown,
  name?: string,
): KubeObject {
  const decoded = decode(resource, input, context);
  checkStrictly(context, resource, decoded);
  checkVersion(resource, decoded);
  checkNamespaceMatches(resource, decoded.metadata, namespace);
  return createDecoded(context, resource, namespace, decoded, { name });
}

/**
 * Stages a new object that was decoded and found to be of the right version and namespace.
 *
 * @param options.name - the name addressed, where the path has one; it does not have to be the object's
 * @param options.owners - the owners of its fields; absent: they are the writer's
 */
export function createDecoded(
  context: Context,
  resource: Resource,
  namespace: string,
  decoded: Decoded,
  { name, owners }: { name?: string | undefined; owners?: Managers } = {},
): KubeObject {
  const { staging } = context;
  const { metadata: declared, duplicates } = dedupOwners(decoded.metadata);
  warnOfDuplicateOwners(context, duplicates);
  checkTerminating(resource, name ?? declared.name);
  checkNamespace(context, resource, namespace, name ?? declared.name);
  const metadata = newMetadata(context, resource, namespace, declared);
  const { body } = decoded;
  checkKind(resource, decoded);
  const assembled = assemble(
    resource,
    withOwners(metadata, owners ?? ownersOfNew(context, resource, sentObject(resource, declared, body))),
    resource.statusSubresource ? withoutStatus(body) : body,
  );
  const object = resource.builtin?.prepare?.(assembled, undefined) ?? assembled;
  checkNew(context, resource, object);
  for (const text of resource.builtin === undefined ? finalizerWarnings(metadata.finalizers) : [])
    context.warn(text);
  const { resourceVersion } = declared;
  if (!context.dryRun && resourceVersion !== undefined && /^0*[1-9]\d*$/.test(resourceVersion)) {
    throw new StatusError(500, "", "resourceVersion should not be set on objects to be created");
  }
  const key = { namespace: resource.namespaced ? namespace : "", name: metadata.name };
  const existing = staging.get(resource, key);
  if (existing !== undefined) throw exists(resource, existing, declared);
  return staging.put(resource, key, object);
}

/** What the client says of the object, without what is the server's to say of a new one. */
function sentObject(resource: Resource, declared: ObjectMeta, body: JsonObject): KubeObject {
  const {
    uid: _uid,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    ...metadata
  } = declared;
  return assemble(resource, metadata, body);
}

/** How often a name is generated again when the one before is taken. */
const generateTries = 8;

function newMetadata(
  context: Context,
  resource: Resource,
  namespace: string,
  declared: ObjectMeta,
): ObjectMeta {
  const { generateName, labels, annotations, finalizers, ownerReferences } = declared;
  return {
    name: declared.name === "" ? freeName(context, resource, namespace, generateName) : declared.name,
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

function freeName(
  { staging, random }: Context,
  resource: Resource,
  namespace: string,
  generateName: string | undefined,
): string {
  if (generateName === undefined) return "";
  let name = "";
  for (let tries = 0; tries < generateTries; tries++) {
    name = generatedName(generateName, random);
    const key = { namespace: resource.namespaced ? namespace : "", name };
    if (staging.get(resource, key) === undefined) break;
  }
  return name;
}

function exists(resource: Resource, existing: KubeObject, declared: ObjectMeta): StatusError {
  const { name, deletionTimestamp } = existing.metadata;
  const prefix = deletionTimestamp === undefined ? "" : "object is being deleted: ";
  return declared.generateName === undefined
    ? alreadyExists(resource, name, prefix)
    : generatedNameExists(resource, name, prefix);
}
