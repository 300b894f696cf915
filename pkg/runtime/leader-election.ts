/**
 * One acting operator among several, by a Lease. As in client-go's leaderelection: whether another's Lease still
 * holds is judged by this machine's clock since its last change was seen, never by the times written into it; so
 * clocks that disagree elect nobody twice. A holder stops acting by itself when it could not renew in time, before
 * anybody else may take over. (client-go, tools/leaderelection)
 */
import { isConflict } from "../api/status-error.ts";
import type { Clock, Random } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { type Troubles, troubles } from "./troubles.ts";

/** coordination.k8s.io/v1, as far as an election writes it. */
export interface LeaseSpec {
  /** Empty: released. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease {
  /** Absent: it is to be made. */
  resourceVersion?: string;
  spec: LeaseSpec;
}

/** The one Lease that is elected by. Both may throw any error of a Client. */
export interface LeaseStore {
  /** Undefined when there is none. */
  read(): Promise<Lease | undefined>;
  /** @throws StatusError Conflict or AlreadyExists when it is not as it was read */
  write(lease: Lease): Promise<Lease>;
}

export interface ElectionOptions {
  store: LeaseStore;
  /** Unique among all that may ever take part, for people too: `host_uuid`. */
  identity: string;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Told once for each other holder that is waited for. */
  waitingFor(holder: string): void;
  /** Told when the Lease can't be asked for while it is waited for: once, and again after it could be meanwhile. */
  hindered?(error: unknown): void;
  /** client-go's when absent. */
  times?: ElectionTimes;
}

/** In milliseconds. Who takes part goes by the same ones. */
export interface ElectionTimes {
  /** How long a Lease holds from when others saw it change last. */
  leaseMs: number;
  /** How long its holder acts on it: shorter, so that it stops before anybody else begins. */
  renewDeadlineMs: number;
  /** How often it is renewed, and asked for. */
  retryMs: number;
}

export interface Leadership {
  /** Whether this process may act now. To be asked right before each act. */
  held(): boolean;
  /** Aborts when the Lease is lost: nothing may be done any more, it may be another's. The reason is a LeaseLostError. */
  readonly lost: AbortSignal;
  /** Gives the Lease back, so that nobody has to wait for it to run out. Call it when nothing acts any more. */
  release(): Promise<void>;
}

/** The message says, for people, why the Lease is not held any more. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** client-go's. */
export const electionTimes: ElectionTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/**
 * Waits until the Lease is this process's own, through any error of the API.
 *
 * @throws `signal.reason` when aborted before
 */
export async function elect(options: ElectionOptions, signal: AbortSignal): Promise<Leadership> {
  const election = new Election(options);
  const { retryMs } = options.times ?? electionTimes;
  for (;;) {
    signal.throwIfAborted();
    if (await election.try()) return election.lead();
    await options.clock.sleep(retryMs * (1 + options.random.next() * 0.2), signal);
  }
}

class Election {
  readonly #options: ElectionOptions;
  readonly #times: ElectionTimes;
  readonly #tries: Troubles;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  /** What was read or written last, and when that was seen to change. */
  #seen: { lease: Lease; atMs: number } | undefined;
  /** When the last renewal that succeeded was begun, by both clocks: sleep stops one, a correction moves the other. */
  #renewed: { elapsedMs: number; wallMs: number } | undefined;
  #told: string | undefined;
  /** Why the last try failed; undefined when it did not, or got no answer. */
  #failure: unknown;
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: ElectionOptions) {
    this.#options = options;
    const { logger, clock } = options;
    this.#tries = troubles({
      logger,
      clock,
      messages: {
        failed: "The Lease could not be renewed and is tried again",
        worked: "The Lease can be asked for again",
      },
    });
    this.#times = options.times ?? electionTimes;
  }

  /** One attempt to take or renew the Lease; says whether it is this process's now. */
  async try(): Promise<boolean> {
    const { clock, store } = this.#options;
    const begun = { elapsedMs: clock.elapsed(), wallMs: clock.now() };
    try {
      const read = await store.read();
      this.#see(read);
      const mine = read?.spec.holderIdentity === this.#options.identity;
      // Another held it meanwhile: what is free again is taken by a new election alone. One that was removed is made.
      if (read !== undefined && !mine && this.#renewed !== undefined) return false;
      if (read !== undefined && !mine && this.#isTaken(read)) {
        this.#worked();
        return false;
      }
      this.#see(await store.write(this.#next(read, mine)));
      this.#renewed = begun;
      this.#worked();
      // An answer that took too long was given to somebody who may not act on it any more.
      return this.#held();
    } catch (error) {
      // A conflict is somebody who was faster. Anything else says nothing about who holds it.
      if (!isConflict(error)) this.#failed(error);
      return false;
    }
  }

  #worked(): void {
    this.#failure = undefined;
    this.#tries.worked();
  }

  #failed(error: unknown): void {
    const isNews = this.#failure === undefined;
    this.#failure = error;
    this.#tries.failed(error);
    if (isNews && this.#renewed === undefined) this.#options.hindered?.(error);
  }

  lead(): Leadership {
    this.#renewing = this.#keepRenewing();
    return {
      held: () => this.#held(),
      lost: this.#lost.signal,
      release: () => this.#release(),
    };
  }

  async #keepRenewing(): Promise<void> {
    const { clock, random } = this.#options;
    const { retryMs, renewDeadlineMs } = this.#times;
    while (this.#held()) {
      try {
        await clock.sleep(retryMs * (1 + random.next() * 0.2), this.#released.signal);
      } catch {
        // Released, the only thing that ends this sleep.
        return;
      }
      // It slept for longer, suspended: what it knows of the objects is as old, even where the Lease is free again.
      if (!this.#held()) break;
      // An answer that comes too late is none.
      const timer = new AbortController();
      const late = clock.sleep(renewDeadlineMs, timer.signal).catch(() => {
        // The attempt ended first.
      });
      await Promise.race([this.try(), late]);
      timer.abort();
      const { identity } = this.#options;
      if (this.#seen !== undefined && this.#seen.lease.spec.holderIdentity !== identity) break;
    }
    this.#lost.abort(new LeaseLostError(this.#whyLost()));
  }

  #whyLost(): string {
    const { holderIdentity = this.#options.identity } = this.#seen?.lease.spec ?? {};
    if (holderIdentity !== this.#options.identity) return `${holderIdentity || "nobody"} holds it now`;
    const late = `it could not be renewed for ${this.#times.renewDeadlineMs / 1000} s`;
    if (this.#failure === undefined) return `${late}: there was no answer, or this machine slept`;
    return `${late}: ${this.#failure instanceof Error ? this.#failure.message : this.#failure}`;
  }

  #held(): boolean {
    if (this.#renewed === undefined || this.#lost.signal.aborted || this.#released.signal.aborted)
      return false;
    const { clock } = this.#options;
    const elapsedMs = clock.elapsed() - this.#renewed.elapsedMs;
    const wallMs = clock.now() - this.#renewed.wallMs;
    return Math.max(elapsedMs, wallMs) < this.#times.renewDeadlineMs;
  }

  #see(lease: Lease | undefined): void {
    if (lease === undefined) this.#seen = undefined;
    else if (this.#seen?.lease.resourceVersion !== lease.resourceVersion)
      this.#seen = { lease, atMs: this.#options.clock.elapsed() };
  }

  #isTaken({ spec }: Lease): boolean {
    const { holderIdentity = "", leaseDurationSeconds = this.#times.leaseMs / 1000 } = spec;
    if (holderIdentity === "") return false;
    if (this.#told !== holderIdentity) {
      this.#told = holderIdentity;
      this.#options.waitingFor(holderIdentity);
    }
    const sinceMs = this.#options.clock.elapsed() - (this.#seen?.atMs ?? 0);
    return sinceMs < leaseDurationSeconds * 1000;
  }

  #next(read: Lease | undefined, mine: boolean): Lease {
    const { clock, identity } = this.#options;
    const now = microTime(clock.now());
    const before = read?.spec;
    return {
      ...(read?.resourceVersion === undefined ? {} : { resourceVersion: read.resourceVersion }),
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: this.#times.leaseMs / 1000,
        acquireTime: (mine ? before?.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: (before?.leaseTransitions ?? 0) + (mine || before === undefined ? 0 : 1),
      },
    };
  }

  async #release(): Promise<void> {
    if (this.#released.signal.aborted) return;
    const held = this.#held();
    this.#released.abort();
    await this.#renewing;
    const { clock, identity, logger, store } = this.#options;
    const last = this.#seen?.lease;
    // A renewal that was under way may have found it another's by now.
    if (!held || last?.spec.holderIdentity !== identity) return;
    const now = microTime(clock.now());
    // One second, as client-go has it: the least that a Lease may hold.
    const spec = {
      ...last.spec,
      holderIdentity: "",
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    try {
      await store.write({ ...last, spec });
    } catch (error) {
      logger.warn("The Lease could not be given back; it runs out by itself", { error });
    }
  }
}

/** metav1.MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, "000Z");
}
