import type { IncomingHttpHeaders } from "node:http";
import { StatusError } from "../../api/status-error.ts";

/**
 * Refuses what a web page may have sent: a browser on this machine reaches every loopback port, under any name that an
 * attacker's DNS gives for it.
 *
 * @param hosts - what `Host` may be, in lower case: `127.0.0.1:26543`
 * @throws StatusError Forbidden for another `Host`, any `Origin`, and fetch metadata that names a site
 */
export function refusePages(headers: IncomingHttpHeaders, hosts: ReadonlySet<string>): void {
  const host = headers.host?.toLowerCase() ?? "";
  if (!hosts.has(host)) throw refused(`the Host ${JSON.stringify(host)} is not a name of this server`);
  if (headers.origin !== undefined) throw refused("requests of web pages (with an Origin) are not answered");
  // `none`: a person typed the address. A page's own requests say from where they come.
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "none")
    throw refused("requests of web pages (with Sec-Fetch-Site) are not answered");
}

/** Every name under which a server that listens at `host` and `port` may be asked. */
export function namesOf(host: string, port: number): ReadonlySet<string> {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  const names = ["127.0.0.1", "[::1]", "localhost", bracketed.toLowerCase()];
  // A port that the scheme implies is left out by clients.
  return new Set(names.flatMap((name) => (port === 443 ? [name, `${name}:443`] : [`${name}:${port}`])));
}

function refused(why: string): StatusError {
  return new StatusError(403, "Forbidden", `forbidden: ${why}`, {});
}
