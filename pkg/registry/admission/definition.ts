import type { KubeObject } from "../../api/meta.ts";
import { timestamp } from "../../runtime/clock.ts";
import { definitionResource } from "../builtin/definition.ts";
import { type CustomResourceDefinition, cleanupFinalizer, withCondition } from "../definitions/definition.ts";
import type { Resource } from "../resource.ts";
import { forbiddenRequest } from "../status-errors.ts";
import type { Context } from "./context.ts";

/**
 * The first step of deleting a definition: it says so, and stays until the objects of its kind are gone. Undefined when
 * `old` is none, or is being deleted already.
 *
 * @throws StatusError Forbidden for a definition that was handed to the server, which would make it again
 */
export function beginDefinitionDeletion(
  { clock, given }: Context,
  resource: Resource,
  old: KubeObject,
): KubeObject | undefined {
  if (resource !== definitionResource || old.metadata.deletionTimestamp !== undefined) return undefined;
  const { metadata, status } = old as CustomResourceDefinition;
  if (given.has(metadata.name)) {
    const why = "this server was started with this definition, and would make it again";
    throw forbiddenRequest(resource, metadata.name, why);
  }
  const now = timestamp(clock.now());
  const finalizers = metadata.finalizers ?? [];
  return {
    ...old,
    metadata: {
      ...metadata,
      deletionTimestamp: now,
      finalizers: finalizers.includes(cleanupFinalizer) ? finalizers : [...finalizers, cleanupFinalizer],
    },
    status: withCondition(
      status,
      {
        type: "Terminating",
        status: "True",
        reason: "InstanceDeletionPending",
        message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
      },
      now,
    ),
  };
}

/** Refuses a new object of a kind that is being deleted. */
export function checkTerminating(resource: Resource, name: string): void {
  if (!resource.terminating) return;
  const why = "create not allowed while custom resource definition is terminating";
  throw forbiddenRequest(resource, name, why);
}
