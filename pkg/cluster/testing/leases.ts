/** Leases as an API server keeps them: each write names what it read. */
import { StatusError } from "../../api/status-error.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { LeaseSpec } from "../../runtime/leader-election.ts";

interface LeaseObject {
  metadata: { name: string; resourceVersion?: string };
  spec: LeaseSpec;
}

interface Kept {
  object: LeaseObject;
  /** When it was written, by the clock that only grows. */
  atMs: number;
}

export class SimLeases {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #leases = new Map<string, Kept>();
  #revision = 0;

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Whom the Lease `name` names; undefined when there is none, it was given back or has run out. */
  holder(name: string): string | undefined {
    const kept = this.#leases.get(name);
    if (kept === undefined) return undefined;
    const { holderIdentity, leaseDurationSeconds = 0 } = kept.object.spec;
    const isOver = this.#clock.elapsed() - kept.atMs > 1000 * leaseDurationSeconds;
    return isOver ? undefined : holderIdentity || undefined;
  }

  /** @throws StatusError as the API has it */
  answer(method: string, name: string, body: unknown): { code: number; body: unknown } {
    const known = this.#leases.get(name)?.object;
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
    this.#leases.set(name, { object: written, atMs: this.#clock.elapsed() });
    return { code: method === "POST" ? 201 : 200, body: written };
  }
}
