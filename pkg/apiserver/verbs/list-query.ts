import { signedFault } from "../../encoding/go-integers.ts";
import { type FieldError, forbidden, notSupported } from "../../registry/field-error.ts";
import type { ListOptions, Selection } from "../../registry/list.ts";
import { badRequest, invalidObject } from "../../registry/status-errors.ts";
import type { ResourceTarget } from "../routing.ts";
import type { Call } from "./call.ts";

/** What the query of a list asks for. */
export function listQuery({ query, target }: Call): ListOptions {
  const match = query.get("resourceVersionMatch") ?? "";
  const resourceVersion = query.get("resourceVersion") ?? "";
  // Only a watch ends by it, but it is read for a list too.
  wholeNumber(query.get("timeoutSeconds"));
  const limit = wholeNumber(query.get("limit"));
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "") {
      errors.push(refused("resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (query.get("continue")) errors.push(withContinue);
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(notSupported(matchField, match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(refused('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (query.has("sendInitialEvents")) {
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  throwInvalid(errors);
  return {
    ...selectionOf(target, query),
    limit: Math.max(limit ?? 0, 0),
    continue: query.get("continue") ?? undefined,
    resourceVersion,
    resourceVersionMatch: match === "" ? undefined : (match as "Exact" | "NotOlderThan"),
  };
}

/** What the query of a watch asks for. */
export interface WatchQuery extends Selection {
  /** Undefined: no revision in particular. */
  readonly resourceVersion: string | undefined;
  /** Whether the objects that exist come first. */
  readonly initialEvents: boolean;
  readonly bookmarks: boolean;
  /** Undefined: as long as the server likes. */
  readonly timeoutSeconds: number | undefined;
}

export function watchQuery({ query, target }: Call): WatchQuery {
  const match = query.get("resourceVersionMatch") ?? "";
  const asked = query.get("sendInitialEvents");
  const timeoutSeconds = wholeNumber(query.get("timeoutSeconds"));
  const errors: FieldError[] = [];
  if (asked !== null && match !== "NotOlderThan") {
    errors.push(refused("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match !== "") {
    if (asked === null) {
      errors.push(
        refused("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
      );
    }
    if (match !== "NotOlderThan") errors.push(notSupported(matchField, match, ["NotOlderThan"]));
    if (query.get("continue")) errors.push(withContinue);
  }
  throwInvalid(errors);
  const revision = query.get("resourceVersion") ?? "";
  const anyRevision = revision === "" || revision === "0";
  return {
    ...selectionOf(target, query),
    resourceVersion: anyRevision ? undefined : revision,
    initialEvents: asked === null ? anyRevision : isSet(asked),
    bookmarks: isSet(query.get("allowWatchBookmarks")),
    timeoutSeconds,
  };
}

/** A flag of a query: everything but `false` and `0` sets it. */
export function isSet(value: string | null): boolean {
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

function selectionOf({ namespace, name }: ResourceTarget, query: URLSearchParams): Selection {
  const fields = query.get("fieldSelector") ?? "";
  const named = name === undefined ? "" : `metadata.name=${name}`;
  if (named !== "" && fields !== "" && !fields.split(/(?<!\\),/).includes(named)) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  return {
    namespace,
    labelSelector: query.get("labelSelector") ?? undefined,
    fieldSelector: fields === "" ? named : fields,
  };
}

/** @throws StatusError BadRequest in Go's words */
function wholeNumber(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const why = signedFault(text);
  if (why === undefined) return Number(text);
  throw badRequest(why);
}

const matchField = "resourceVersionMatch";

function refused(why: string): FieldError {
  return forbidden(matchField, why);
}

const withContinue = refused("resourceVersionMatch is forbidden when continue is provided");

function throwInvalid(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw invalidObject({ group: "meta.k8s.io", plural: "", kind: "ListOptions" }, "", errors);
}
