import { customResources } from "../definitions/custom-resources.ts";
import { established, givenDefinition } from "../definitions/given-definition.ts";
import type { Resource } from "../resource.ts";

/** The resource of the version in which a CustomResourceDefinition's objects are stored. */
export function customResource(definition: unknown): Resource {
  const server = { uid: "", now: "2026-01-02T03:04:05Z" };
  return customResources(established(givenDefinition(definition), undefined, server)).stored;
}
