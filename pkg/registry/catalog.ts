import { type CustomResources, customResources } from "./definitions/custom-resources.ts";
import { type CustomResourceDefinition, isTrue } from "./definitions/definition.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

/** Everything that is served: kinds of Kubernetes' own, and those of the definitions whose names are accepted. */
export class Catalog {
  readonly #builtins: readonly Resource[];
  readonly #custom = new Map<string, CustomResources>();
  #definitions: readonly Resource[] = [];
  #byId: ReadonlyMap<string, Resource> = new Map();
  #byPath: ReadonlyMap<string, Resource> = new Map();
  #byKind: ReadonlyMap<string, Resource> = new Map();

  constructor(builtins: readonly Resource[]) {
    this.#builtins = builtins;
    this.#index();
  }

  /** In a stable order, the preferred version of a kind before others; another list after each change. */
  definitions(): readonly Resource[] {
    return this.#definitions;
  }

  /** Also where objects are stored in a version that is not served. */
  byId(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  byPath(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group === "" ? "" : `${group}/`}${version}/${plural}`);
  }

  byKind(apiVersion: string, kind: string): Resource | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  /**
   * Serves a definition in its present state, in place of an earlier one, or no longer.
   *
   * @returns how its objects are stored, where that has changed
   * @throws Error naming the path of a bad pattern or CEL rule
   */
  follow(name: string, definition: CustomResourceDefinition | undefined): Resource | undefined {
    const before = this.#custom.get(name);
    if (definition === undefined || !isServed(definition)) {
      if (before === undefined) return undefined;
      this.#custom.delete(name);
      this.#index();
      return undefined;
    }
    const now = customResources(definition);
    this.#custom.set(name, now);
    this.#index();
    const same = before?.stored.schema === now.stored.schema && before.stored.version === now.stored.version;
    return same ? undefined : now.stored;
  }

  #index(): void {
    const custom = [...this.#custom.values()];
    this.#definitions = [...this.#builtins, ...custom.flatMap(({ served }) => served)];
    const stored = custom.map((resources) => resources.stored);
    this.#byId = new Map([...stored, ...this.#definitions].map((resource) => [resource.id, resource]));
    this.#byPath = new Map(
      this.#definitions.map((resource) => [`${apiVersionOf(resource)}/${resource.plural}`, resource]),
    );
    this.#byKind = new Map(
      this.#definitions.map((resource) => [`${apiVersionOf(resource)}/${resource.kind}`, resource]),
    );
  }
}

/** A status that was written by hand may say anything. */
function isServed(definition: CustomResourceDefinition): boolean {
  const { plural, kind } = definition.status.acceptedNames;
  return isTrue(definition, "Established") && plural === definition.spec.names.plural && kind !== "";
}
