import type { KubeObject } from "../../api/meta.ts";
import { type FieldError, forbidden, invalid, notSupported } from "../field-error.ts";
import { qualifiedNameFaults } from "../names.ts";
import { holderIdentityDescription, lease } from "../typed/kinds/coordination.ts";
import { builtinResource } from "./builtin.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
  readonly strategy?: string;
  readonly preferredHolder?: string;
}

export const leaseResource = builtinResource(lease, {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  namespaced: true,
  createOnUpdate: true,
  // A renewal must not overwrite one that it has not seen.
  unconditionalUpdate: false,
  validate,
  table: {
    columns: [nameColumn, column("Holder", holderIdentityDescription), ageColumn],
    cells: (object, age) => [
      object.metadata.name,
      (object.spec as LeaseSpec).holderIdentity ?? "",
      age(object.metadata.creationTimestamp),
    ],
  },
});

const strategies = ["OldestEmulationVersion"];

function validate(object: KubeObject): readonly FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = object.spec as LeaseSpec;
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0"));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalid("spec.leaseTransitions", leaseTransitions, "must be greater than or equal to 0"));
  }
  if (strategy !== undefined) {
    // The field is named twice, as kube-apiserver names it.
    const field = "spec.strategy.strategy";
    if (strategy.includes("/")) {
      errors.push(...qualifiedNameFaults(strategy).map((fault) => invalid(field, strategy, fault)));
    } else if (!strategies.includes(strategy)) {
      errors.push(notSupported(field, strategy, strategies));
    }
  }
  if (preferredHolder && !strategy) {
    errors.push(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
  }
  return errors;
}
