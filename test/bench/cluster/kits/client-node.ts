/** `@kubernetes/client-node` as its examples have it: an informer's events, sixteen at a time, each a status patch. */
import {
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { group, isReconciled, type Probe, plural, probesOf } from "../probe-kind.ts";

const config = new KubeConfig();
config.loadFromDefault();
const namespace = process.env.NAMESPACE ?? "default";
const api = config.makeApiClient(CustomObjectsApi);
const informer = makeInformer(config, probesOf(namespace), async () => {
  const listed = await api.listNamespacedCustomObject({ group, version: "v1", namespace, plural });
  return listed as KubernetesListObject<KubernetesObject>;
});

const waiting = new Map<string, Probe>();
let active = 0;
function take(object: KubernetesObject): void {
  const probe = object as unknown as Probe;
  if (!isReconciled(probe)) waiting.set(probe.metadata.name, probe);
  work();
}
function work(): void {
  for (const [name, probe] of waiting) {
    if (active >= 16) return;
    waiting.delete(name);
    active += 1;
    void reconcile(probe).finally(() => {
      active -= 1;
      work();
    });
  }
}
async function reconcile({ metadata: { name, generation, resourceVersion } }: Probe): Promise<void> {
  const body = { metadata: { resourceVersion }, status: { phase: "Done", observedGeneration: generation } };
  try {
    const target = { group, version: "v1", namespace, plural, name, body };
    await api.patchNamespacedCustomObjectStatus(
      target,
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  } catch {
    // A conflict: the next event brings what it is now.
  }
}
informer.on("add", take);
informer.on("update", take);
informer.on("error", () => void setTimeout(() => void informer.start(), 1000));
await informer.start();
