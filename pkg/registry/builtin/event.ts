import type { Event, ObjectReference } from "../../api/event.ts";
import type { KubeObject } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { type FieldError, invalid, required } from "../field-error.ts";
import { deepFreeze, type JsonObject } from "../json.ts";
import { nameFaults, pathSegmentFaults, qualifiedNameFaults } from "../names.ts";
import type { Table, View } from "../resource.ts";
import * as core from "../typed/kinds/core.ts";
import * as newer from "../typed/kinds/events.ts";
import { nameDescription } from "../typed/kinds/meta.ts";
import { readTyped } from "../typed/read.ts";
import { builtinResource } from "./builtin.ts";
import { column } from "./columns.ts";

/** All that an Event may say in `core/v1`, which is how it is stored. */
type CoreEvent = Event & {
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string | null };
  action?: string;
  related?: ObjectReference;
};

/** What the two views call differently: first in `events.k8s.io/v1`, then in `core/v1`. */
const renamed: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

const referenceFields = [
  "kind",
  "namespace",
  "name",
  "uid",
  "apiVersion",
  "resourceVersion",
  "fieldPath",
] as const;

const table: Table = {
  columns: [
    column("Last Seen", "The time at which the most recent occurrence of this event was recorded."),
    column("Type", "Type of this event (Normal, Warning), new types could be added in the future"),
    column(
      "Reason",
      "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
    ),
    column("Object", "The object that this event is about."),
    column(
      "Subobject",
      'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: "spec.containers{name}" (where "name" refers to the name of the container that triggered the event) or if no container name is specified "spec.containers[2]" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.',
      { priority: 1 },
    ),
    column("Source", "The component reporting this event. Should be a short machine understandable string.", {
      priority: 1,
    }),
    column("Message", "A human-readable description of the status of this operation."),
    column(
      "First Seen",
      "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)",
      { priority: 1 },
    ),
    column("Count", "The number of times this event has occurred.", { priority: 1 }),
    column("Name", nameDescription, { format: "name", priority: 1 }),
  ],
  cells: (object, age) => {
    const event = asCore(object);
    const { involvedObject = {} as ObjectReference, source = {}, series, eventTime } = event;
    const kind = (involvedObject.kind ?? "").toLowerCase();
    const first = age(event.firstTimestamp ?? eventTime ?? undefined);
    const last = event.lastTimestamp == null ? first : age(event.lastTimestamp);
    const component = source.component || event.reportingComponent || "";
    const instance = source.host || event.reportingInstance || "";
    return [
      series === undefined ? last : age(series.lastObservedTime ?? undefined),
      event.type ?? "",
      event.reason ?? "",
      involvedObject.name ? `${kind}/${involvedObject.name}` : kind,
      involvedObject.fieldPath ?? "",
      instance === "" ? component : `${component}, ${instance}`,
      (event.message ?? "").trim(),
      first,
      series === undefined ? event.count || 1 : (series.count ?? 0),
      event.metadata.name,
    ];
  },
};

export const coreEventResource = builtinResource(core.event, {
  version: "v1",
  plural: "events",
  shortNames: ["ev"],
  namespaced: true,
  createOnUpdate: true,
  neverOwner: true,
  selectableFields: selectableFields("involvedObject", "reportingComponent", true),
  // Old clients name their events as they like.
  nameFaults: pathSegmentFaults,
  validate: (object) => validateAnyEvent(object as unknown as CoreEvent),
  table,
});

/** The same Events as `events.k8s.io/v1` shows them; what is written here is checked more strictly. */
export const eventResource = builtinResource(newer.event, {
  group: "events.k8s.io",
  errorGroup: "",
  version: "v1",
  plural: "events",
  shortNames: ["ev"],
  namespaced: true,
  createOnUpdate: true,
  neverOwner: true,
  store: coreEventResource.id,
  view: { read: remembered(toNewer), write: toCore },
  selectableFields: selectableFields("regarding", "reportingController", false),
  nameFaults,
  validate: (object, old) => validateNewEvent(asCore(object), old === undefined ? undefined : asCore(old)),
  table,
});

function selectableFields(
  reference: string,
  controller: string,
  source: boolean,
): ReadonlyMap<string, (object: KubeObject) => string> {
  const fields = new Map<string, (object: KubeObject) => string>();
  for (const field of referenceFields) {
    fields.set(`${reference}.${field}`, (object) => asCore(object).involvedObject?.[field] ?? "");
  }
  fields.set("reason", (object) => asCore(object).reason ?? "");
  fields.set(controller, (object) => asCore(object).reportingComponent ?? "");
  if (source) {
    fields.set(
      "source",
      (object) => asCore(object).source?.component || asCore(object).reportingComponent || "",
    );
  }
  fields.set("type", (object) => asCore(object).type ?? "");
  return fields;
}

/** An Event of either view as `core/v1` has it. */
function asCore(object: KubeObject): CoreEvent {
  return (object.apiVersion === "v1" ? object : toCore(object)) as unknown as CoreEvent;
}

function toNewer(stored: KubeObject): KubeObject {
  return convert(stored, "events.k8s.io/v1", eventResource.builtin?.body ?? newer.event, (from, to) => [
    to,
    from,
  ]);
}

function toCore(object: KubeObject): KubeObject {
  return convert(object, "v1", coreEventResource.builtin?.body ?? core.event, (from, to) => [from, to]);
}

function convert(
  object: KubeObject,
  apiVersion: string,
  body: Parameters<typeof readTyped>[0],
  direction: (newerName: string, coreName: string) => readonly [string, string],
): KubeObject {
  const { apiVersion: _apiVersion, kind, metadata, ...fields } = object as unknown as JsonObject & KubeObject;
  const named: Record<string, JsonObject[string]> = { ...(fields as JsonObject) };
  for (const [newerName, coreName] of renamed) {
    const [from, to] = direction(newerName, coreName);
    const value = named[from];
    if (value === undefined) continue;
    delete named[from];
    named[to] = value;
  }
  return deepFreeze({ apiVersion, kind, metadata, ...readTyped(body, named) } as unknown as KubeObject);
}

/** Lists and watches of all clients share what was made once, as they share the objects. */
function remembered(read: View["read"]): View["read"] {
  const seen = new WeakMap<KubeObject, KubeObject>();
  return (stored) => {
    let shown = seen.get(stored);
    if (shown === undefined) {
      shown = read(stored);
      seen.set(stored, shown);
    }
    return shown;
  };
}

/** What holds for Events of either view; the fields are named as in `core/v1` in both. */
function validateAnyEvent(event: CoreEvent): FieldError[] {
  const errors: FieldError[] = [];
  const about = event.involvedObject?.namespace ?? "";
  const { namespace } = event.metadata;
  const elsewhere = invalid("involvedObject.namespace", about, "does not match event.namespace");
  if (event.eventTime == null) {
    if (about === "" ? namespace !== "default" : namespace !== about) errors.push(elsewhere);
    return errors;
  }
  if (about === "" && namespace !== "default" && namespace !== "kube-system") errors.push(elsewhere);
  const controller = event.reportingComponent ?? "";
  if (controller === "") errors.push(required("reportingController"));
  errors.push(
    ...qualifiedNameFaults(controller).map((fault) => invalid("reportingController", controller, fault)),
  );
  for (const [field, value] of [
    ["reportingInstance", event.reportingInstance],
    ["action", event.action],
    ["reason", event.reason],
  ] as const) {
    if (!value) errors.push(required(field));
    else if (Buffer.byteLength(value) > 128)
      errors.push(invalid(field, "", "can have at most 128 characters"));
  }
  if (Buffer.byteLength(event.message ?? "") > 1024) {
    errors.push(invalid("message", "", "can have at most 1024 characters"));
  }
  return errors;
}

function validateNewEvent(event: CoreEvent, old: CoreEvent | undefined): FieldError[] {
  const errors = validateAnyEvent(event);
  if (!sameJson(event.series, old?.series)) errors.push(...validateSeries(event));
  if (old !== undefined) return [...errors, ...immutableFields(event, old)];
  if (event.eventTime == null) errors.push(required("eventTime"));
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(invalid("type", "", `has invalid value: ${event.type ?? ""}`));
  }
  for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const) {
    if (event[field]) errors.push(invalid(field, "", "needs to be unset"));
  }
  if (event.source?.component || event.source?.host) errors.push(invalid("source", "", "needs to be unset"));
  return errors;
}

function validateSeries({ series }: CoreEvent): FieldError[] {
  if (series === undefined) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalid("series.count", "", "should be at least 2"));
  if (series.lastObservedTime == null) errors.push(required("series.lastObservedTime"));
  return errors;
}

/** All but the series, and how an error names them. */
const fixed: readonly (readonly [keyof CoreEvent, string])[] = [
  ["involvedObject", "involvedObject"],
  ["reason", "reason"],
  ["message", "message"],
  ["source", "source"],
  ["firstTimestamp", "firstTimestamp"],
  ["lastTimestamp", "lastTimestamp"],
  ["count", "count"],
  ["type", "type"],
  ["eventTime", "eventTime"],
  ["action", "action"],
  ["related", "related"],
  ["reportingComponent", "reportingController"],
  ["reportingInstance", "reportingInstance"],
];

function immutableFields(event: CoreEvent, old: CoreEvent): FieldError[] {
  return fixed
    .filter(([field]) => !sameJson(event[field], old[field]))
    .map(([field, name]) => invalid(name, event[field], "field is immutable"));
}
