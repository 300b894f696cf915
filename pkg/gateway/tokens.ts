/** The sessions that may spend, each known by a token. */
import { createHmac } from "node:crypto";
import type { SessionGrant } from "./money.ts";

export class Tokens {
  readonly #secret: string;
  readonly #tokens = new Map<string, SessionGrant>();

  /** @param secret - what tokens are made from; the same secret gives the same token for a session, run and attempt */
  constructor(secret: string, grants: readonly SessionGrant[] = []) {
    this.#secret = secret;
    for (const grant of grants) this.admit(grant);
  }

  /** The token of `grant`'s session, run and attempt; its others hold no longer. */
  admit(grant: SessionGrant): string {
    const token = this.#tokenOf(grant);
    this.#revoke((other, { session }) => session === grant.session && other !== token);
    this.#tokens.set(token, grant);
    return token;
  }

  /** Revokes the session's token. */
  dismiss(session: string): void {
    this.#revoke((_token, grant) => grant.session === session);
  }

  /** Who holds `token`. */
  holder(token: string): SessionGrant | undefined {
    return this.#tokens.get(token);
  }

  grants(): SessionGrant[] {
    return [...this.#tokens.values()];
  }

  #revoke(isMeant: (token: string, grant: SessionGrant) => boolean): void {
    for (const [token, grant] of this.#tokens) if (isMeant(token, grant)) this.#tokens.delete(token);
  }

  #tokenOf({ session, run, attempt = "" }: SessionGrant): string {
    const name = `${session}/${run}/${attempt}`;
    return `bosun-${createHmac("sha256", this.#secret).update(name).digest("base64url")}`;
  }
}
