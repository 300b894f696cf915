/** `@dot-i/k8s-operator`: its own queue takes one event after the other. */
import Operator from "@dot-i/k8s-operator";

const silent = { debug() {}, info() {}, warn() {}, error: (text) => console.error(text) };

class ProbeOperator extends Operator.default {
  constructor() {
    super(silent);
  }

  async init() {
    const take = async ({ meta, object, type }) => {
      if (type === "DELETED" || object.status?.observedGeneration === object.metadata.generation) return;
      await this.patchResourceStatus(meta, { phase: "Done", observedGeneration: object.metadata.generation });
    };
    await this.watchResource("bench.bosun.dev", "v1", "probes", take, process.env.NAMESPACE);
  }
}

await new ProbeOperator().start();
