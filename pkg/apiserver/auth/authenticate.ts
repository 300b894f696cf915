import { createHash, timingSafeEqual } from "node:crypto";
import { StatusError } from "../../api/status-error.ts";
import { admin, anonymous, reader, type User } from "./user.ts";

export interface Tokens {
  readonly admin: string;
  readonly reader: string;
}

/** Tells whose token an `Authorization` header bears; a header without one is anonymous. */
export type Authenticator = (authorization: string | undefined) => User;

/**
 * Knows the bearers of two tokens. How long it takes tells nothing of them.
 *
 * The authenticator throws StatusError Unauthorized for a token that is neither.
 */
export function tokenAuthenticator(tokens: Tokens): Authenticator {
  // Of equal length whatever is shown, as a comparison in constant time needs.
  const known = [
    { user: admin, digest: digestOf(tokens.admin) },
    { user: reader, digest: digestOf(tokens.reader) },
  ];
  return (authorization) => {
    const shown = bearerToken(authorization);
    if (shown === undefined) return anonymous;
    const digest = digestOf(shown);
    const [found] = known.filter((candidate) => timingSafeEqual(candidate.digest, digest));
    if (found === undefined) throw new StatusError(401, "Unauthorized", "Unauthorized");
    return found.user;
  };
}

function bearerToken(authorization = ""): string | undefined {
  const [scheme = "", token = ""] = authorization.trim().split(/\s+/);
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
