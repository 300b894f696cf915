import type { KubeObject } from "../../api/meta.ts";
import type { JsonObject } from "../json.ts";

/** An apiextensions.k8s.io/v1 CustomResourceDefinition, as far as it has been checked to be one. */
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: DefinitionSpec;
  readonly status: DefinitionStatus;
}

export interface DefinitionSpec {
  readonly group: string;
  readonly names: DefinitionNames;
  readonly scope: string;
  readonly versions: readonly DefinitionVersion[] | null;
  readonly conversion?: { readonly strategy: string; readonly webhook?: JsonObject };
  readonly preserveUnknownFields?: boolean;
}

export interface DefinitionNames {
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly kind: string;
  readonly listKind?: string;
  readonly categories?: readonly string[];
}

export interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonObject };
  readonly subresources?: Subresources;
  readonly additionalPrinterColumns?: readonly DefinitionColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface Subresources {
  readonly status?: object;
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath?: string;
  };
}

export interface DefinitionColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

export interface DefinitionStatus {
  readonly conditions: readonly DefinitionCondition[] | null;
  readonly acceptedNames: DefinitionNames;
  readonly storedVersions: readonly string[] | null;
}

export interface DefinitionCondition {
  readonly type: "NamesAccepted" | "Established" | "Terminating" | "KubernetesAPIApprovalPolicyConformant";
  readonly status: "True" | "False" | "Unknown";
  readonly lastTransitionTime?: string | null;
  readonly reason: string;
  readonly message: string;
}

/** In the metadata of a definition while objects of its kind have to be deleted. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export function conditionOf(
  { status }: CustomResourceDefinition,
  type: DefinitionCondition["type"],
): DefinitionCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

export function isTrue(definition: CustomResourceDefinition, type: DefinitionCondition["type"]): boolean {
  return conditionOf(definition, type)?.status === "True";
}

/** `status` with a condition said; its time moves only with its status. */
export function withCondition(
  status: DefinitionStatus,
  condition: Omit<DefinitionCondition, "lastTransitionTime">,
  now: string,
): DefinitionStatus {
  const conditions = status.conditions ?? [];
  const old = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
  const said: DefinitionCondition = { ...condition, lastTransitionTime };
  return {
    ...status,
    conditions:
      old === undefined
        ? [...conditions, said]
        : conditions.map((candidate) => (candidate === old ? said : candidate)),
  };
}
