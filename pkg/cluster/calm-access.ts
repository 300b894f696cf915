import type { Clock } from "../runtime/clock.ts";
import type { Access } from "./access.ts";

/** Credentials that can't be had, or are refused, are asked for again after this, in milliseconds: well within a Lease. */
const calmMs = 5_000;

/**
 * `access`, which asks for credentials that can't be had, or are refused, no more often than every five seconds however
 * many requests want them: an exec plugin is a process, and perhaps somebody's login server.
 */
export function calmAccess(access: Access, clock: Clock): Access {
  let asking: ReturnType<Access["options"]> | undefined;
  let failed: { error: unknown; atMs: number } | undefined;
  let renewedMs = Number.NEGATIVE_INFINITY;

  const ask: Access["options"] = async () => {
    try {
      return await access.options();
    } catch (error) {
      failed = { error, atMs: clock.elapsed() };
      throw error;
    } finally {
      asking = undefined;
    }
  };

  return {
    server: access.server,
    async options() {
      if (failed !== undefined && clock.elapsed() - failed.atMs < calmMs) throw failed.error;
      failed = undefined;
      asking ??= ask();
      return await asking;
    },
    renew() {
      if (clock.elapsed() - renewedMs < calmMs) return;
      renewedMs = clock.elapsed();
      access.renew();
    },
    close: () => access.close(),
  };
}
