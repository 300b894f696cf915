import type { ObjectMeta } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { definitionResource, prepareDefinition } from "../builtin/definition.ts";
import { copyJson, deepFreeze, isObject, type JsonObject } from "../json.ts";
import { readMetadata, validateNewMetadata } from "../metadata.ts";
import { readTyped } from "../typed/read.ts";
import { type CustomResourceDefinition, type DefinitionSpec, withCondition } from "./definition.ts";
import { definitionFaults } from "./definition-faults.ts";

/** A definition that was handed to the server, checked, with what is the server's to say filled in. */
export interface GivenDefinition {
  readonly name: string;
  readonly metadata: Pick<ObjectMeta, "labels" | "annotations">;
  readonly spec: DefinitionSpec;
}

const read = new WeakMap<object, GivenDefinition>();

/**
 * Reads a CustomResourceDefinition (apiextensions.k8s.io/v1, parsed YAML). The same value is read once.
 *
 * @throws Error naming the definition and what is wrong with it
 */
export function givenDefinition(definition: unknown): GivenDefinition {
  if (typeof definition !== "object" || definition === null) {
    throw new Error("A CustomResourceDefinition must be an object.");
  }
  let given = read.get(definition);
  if (given === undefined) {
    given = deepFreeze(checked(definition));
    read.set(definition, given);
  }
  return given;
}

/**
 * The definition as an object that is served from the start: its names are accepted unseen. Labels and annotations are
 * as given: what an earlier start was given is not told from what somebody added.
 */
export function established(
  { name, metadata, spec }: GivenDefinition,
  old: CustomResourceDefinition | undefined,
  server: { readonly uid: string; readonly now: string },
): CustomResourceDefinition {
  const bare: CustomResourceDefinition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: old?.metadata ?? { name, uid: server.uid, generation: 1, creationTimestamp: server.now },
    spec,
    status: old?.status ?? {
      conditions: null,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: null,
    },
  };
  const { labels: _labels, annotations: _annotations, ...serverSet } = bare.metadata;
  const { generation = 1 } = serverSet;
  const changed = old !== undefined && !sameJson(old.spec, spec);
  const { status } = prepareDefinition(bare, bare);
  const accepted = withCondition(
    { ...status, acceptedNames: spec.names },
    { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
    server.now,
  );
  const message = "the initial names have been accepted";
  return {
    ...bare,
    metadata: { ...serverSet, ...(changed ? { generation: generation + 1 } : {}), ...metadata },
    status: withCondition(
      accepted,
      { type: "Established", status: "True", reason: "InitialNamesAccepted", message },
      server.now,
    ),
  };
}

function checked(definition: object): GivenDefinition {
  const crd = copyJson(definition);
  const name =
    isObject(crd) && isObject(crd.metadata) && typeof crd.metadata.name === "string" ? crd.metadata.name : "";
  try {
    return readDefinition(crd as JsonObject);
  } catch (cause) {
    const which = name === "" ? "without a name" : name;
    throw new Error(`CustomResourceDefinition ${which}: ${(cause as Error).message}`, { cause });
  }
}

function readDefinition({ apiVersion, kind, metadata: declared, ...fields }: JsonObject): GivenDefinition {
  if (kind !== "CustomResourceDefinition" || apiVersion !== "apiextensions.k8s.io/v1") {
    throw new Error("It must be an apiextensions.k8s.io/v1 CustomResourceDefinition.");
  }
  const metadata = readMetadata(declared);
  const { builtin } = definitionResource;
  const read = { metadata, body: builtin === undefined ? fields : readTyped(builtin.body, fields) };
  const { body } = builtin?.defaults?.(read) ?? read;
  const object = { apiVersion, kind, metadata, ...body } as unknown as CustomResourceDefinition;
  const definition = prepareDefinition(object, undefined);
  const errors = [...validateNewMetadata(metadata), ...definitionFaults(definition, undefined)];
  if (errors.length > 0)
    throw new Error(errors.map(({ field, message }) => `${field}: ${message}`).join("; "));
  const { name, labels, annotations } = metadata;
  return {
    name,
    metadata: {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: definition.spec,
  };
}
