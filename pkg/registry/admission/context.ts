import type { ObjectKey, ObjectMeta } from "../../api/meta.ts";
import type { Clock, Ids, Random } from "../../runtime/clock.ts";
import type { Resource } from "../resource.ts";
import type { Staging } from "../staging.ts";
import { badRequest } from "../status-errors.ts";
import { type Decoded, notHandled } from "./decode.ts";

/** What happens with fields that are unknown or given twice: nothing, a warning each, or a refusal. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** How strictly a body is read. */
export interface Strictness {
  readonly fieldValidation: FieldValidation;
  /** What strict decoding has against the body as text: `duplicate field "spec.x"`. */
  readonly strictErrors: readonly string[];
  /** The body as it came, where there was one. */
  readonly bodyText?: string | undefined;
  /** Tells the client something that is no error. */
  readonly warn: (text: string) => void;
}

/** What admitting a write needs: the staged state and what a server gives objects. */
export interface Context extends Strictness {
  readonly staging: Staging;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** Names of the definitions that the server was started with. */
  readonly given: ReadonlySet<string>;
  /** A resource under all versions and groups in which its objects are served. */
  readonly versionsOf: (resource: Resource) => readonly Resource[];
  /** The writer's name in managedFields. */
  readonly fieldManager: string;
  readonly dryRun: boolean;
  /** Paths of whole numbers that the body has as floats. */
  readonly wholeFloats: ReadonlySet<string>;
}

/** Tells what strict decoding has against an object, or refuses it. */
export function checkStrictly(context: Strictness, resource: Resource, decoded: Decoded): void {
  const { strictErrors } = decoded;
  if (strictErrors.length === 0 || context.fieldValidation === "Ignore") return;
  if (context.fieldValidation === "Strict") throw notHandled(resource, decoded, strictMessage(strictErrors));
  warnStrictly(context, strictErrors);
}

/** Warns of each thing that strict decoding found. */
export function warnStrictly({ warn }: Strictness, strictErrors: readonly string[]): void {
  for (const error of strictErrors) {
    const texts = error.replace(/^yaml: (unmarshal errors:\n)?/, "").split("\n");
    for (const text of texts) warn(text.trim());
  }
}

export function strictMessage(strictErrors: readonly string[]): string {
  return `strict decoding error: ${strictErrors.join(", ")}`;
}

/** Refuses a body whose namespace is not the one addressed. An absent one means that one. */
export function checkNamespaceMatches(resource: Resource, metadata: ObjectMeta, namespace: string): void {
  if (!resource.namespaced || metadata.namespace === undefined || metadata.namespace === namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** Refuses a body whose namespace or name is not the one addressed. */
export function checkAddress(resource: Resource, metadata: ObjectMeta, key: ObjectKey): void {
  checkNamespaceMatches(resource, metadata, key.namespace);
  if (metadata.name === "") {
    throw badRequest(
      `the name of the object (${key.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== key.name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${key.name})`,
    );
  }
}
