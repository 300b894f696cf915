import { type Resource, resourceId } from "./resource.ts";
import { compileSchema } from "./schema/schema.ts";

/**
 * The kinds of Kubernetes' own that are served beside CRDs: what controllers and kubectl need, with the schema left
 * open. There is one Namespace, `default`.
 */
export const builtinResources: readonly Resource[] = [
  builtin({ version: "v1", kind: "Namespace", plural: "namespaces", shortNames: ["ns"], namespaced: false }),
  builtin({ version: "v1", kind: "Event", plural: "events", shortNames: ["ev"], namespaced: true }),
  builtin({
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    plural: "leases",
    shortNames: [],
    namespaced: true,
  }),
];

function builtin(of: {
  group?: string;
  version: string;
  kind: string;
  plural: string;
  shortNames: readonly string[];
  namespaced: boolean;
}): Resource {
  const group = of.group ?? "";
  return {
    ...of,
    group,
    id: resourceId(group, of.plural),
    listKind: `${of.kind}List`,
    singular: of.kind.toLowerCase(),
    categories: [],
    schema: compileSchema({ type: "object", "x-kubernetes-preserve-unknown-fields": true }),
    statusSubresource: false,
    scale: undefined,
    generation: false,
    unconditionalUpdate: true,
    printerColumns: [],
    annotations: {},
  };
}
