/** Leases as an API server keeps them: each write names what it read. */
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { LeaseSpec } from "../../../pkg/runtime/leader-election.ts";

interface LeaseObject {
  metadata: { name: string; resourceVersion?: string };
  spec: LeaseSpec;
}

export class SimLeases {
  readonly #leases = new Map<string, LeaseObject>();
  #revision = 0;

  /** Whom the Lease `name` names; undefined when there is none, or it was given back. */
  holder(name: string): string | undefined {
    return this.#leases.get(name)?.spec.holderIdentity || undefined;
  }

  /** @throws StatusError as the API has it */
  answer(method: string, name: string, body: unknown): { code: number; body: unknown } {
    const known = this.#leases.get(name);
    if (method === "GET") {
      if (known === undefined) throw new StatusError(404, "NotFound", `leases "${name}" not found`);
      return { code: 200, body: known };
    }
    const given = body as LeaseObject;
    if (method === "POST" && known !== undefined)
      throw new StatusError(409, "AlreadyExists", `leases "${name}" already exists`);
    if (method === "PUT" && known?.metadata.resourceVersion !== given.metadata.resourceVersion)
      throw new StatusError(409, "Conflict", `leases "${name}" has been modified`);
    this.#revision += 1;
    const resourceVersion = String(this.#revision);
    const written = { ...given, metadata: { ...given.metadata, resourceVersion } };
    this.#leases.set(name, written);
    return { code: method === "POST" ? 201 : 200, body: written };
  }
}
