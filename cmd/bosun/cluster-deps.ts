import type { Access } from "../../pkg/cluster/access.ts";
import type { ExchangeDeps } from "../../pkg/cluster/exchange.ts";
import { systemClock, systemRandom } from "../../pkg/system/system.ts";

/** What every command's client of a cluster stands on. Importing this loads no client. */
export function clusterDeps(
  access: Access,
  { userAgent = "bosun" }: Partial<Pick<ExchangeDeps, "userAgent">> = {},
): ExchangeDeps {
  return { access, clock: systemClock, random: systemRandom, userAgent };
}
