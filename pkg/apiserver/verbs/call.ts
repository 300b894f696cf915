import type { IncomingMessage, ServerResponse } from "node:http";
import type { ObjectKey } from "../../api/meta.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Clock, Random } from "../../runtime/clock.ts";
import type { User } from "../auth/user.ts";
import type { Format } from "../negotiation.ts";
import type { ResourceTarget } from "../routing.ts";

/** One request for a resource, routed. */
export interface Call {
  readonly registry: Registry;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: ResourceTarget;
  readonly query: URLSearchParams;
  readonly user: User;
  /** How the answer is to be written. */
  readonly format: Format;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the server ends: watches end then, in good order. */
  readonly ending: AbortSignal;
  /** To be told of each event that a watch is sent. */
  onWatchEvent(): void;
}

/** The object that a call's path names. */
export function keyOfTarget({ target: { namespace = "", name = "" } }: Call): ObjectKey {
  return { namespace, name };
}
