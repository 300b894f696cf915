/** `core/v1`: Namespace and Event. */
import {
  always,
  int32,
  keyed,
  list,
  microTime,
  omitempty,
  pointer,
  string,
  struct,
  texts,
  time,
  uid,
} from "../types.ts";
import { objectMeta } from "./meta.ts";

const namespaceCondition = struct("NamespaceCondition", {
  type: always(1, texts("v1.NamespaceConditionType")),
  status: always(2, texts("v1.ConditionStatus")),
  lastTransitionTime: omitempty(4, time),
  reason: omitempty(5, string),
  message: omitempty(6, string),
});

export const namespace = struct("Namespace", {
  metadata: always(1, objectMeta),
  spec: omitempty(2, struct("NamespaceSpec", { finalizers: omitempty(1, list(texts("v1.FinalizerName"))) })),
  status: omitempty(
    3,
    struct("NamespaceStatus", {
      phase: omitempty(1, texts("v1.NamespacePhase")),
      conditions: omitempty(2, keyed(namespaceCondition, "type")),
    }),
  ),
});

export const objectReference = struct(
  "ObjectReference",
  {
    kind: omitempty(1, string),
    namespace: omitempty(2, string),
    name: omitempty(3, string),
    uid: omitempty(4, uid),
    apiVersion: omitempty(5, string),
    resourceVersion: omitempty(6, string),
    fieldPath: omitempty(7, string),
  },
  { atomic: true },
);

export const eventSource = struct("EventSource", {
  component: omitempty(1, string),
  host: omitempty(2, string),
});

export const event = struct("Event", {
  metadata: always(1, objectMeta),
  involvedObject: always(2, objectReference),
  reason: omitempty(3, string),
  message: omitempty(4, string),
  source: omitempty(5, eventSource),
  firstTimestamp: omitempty(6, time),
  lastTimestamp: omitempty(7, time),
  count: omitempty(8, int32),
  type: omitempty(9, string),
  eventTime: omitempty(10, microTime),
  series: pointer(
    11,
    struct("EventSeries", { count: omitempty(1, int32), lastObservedTime: omitempty(2, microTime) }),
  ),
  action: omitempty(12, string),
  related: pointer(13, objectReference),
  reportingComponent: always(14, string),
  reportingInstance: always(15, string),
});
