/** `events.k8s.io/v1`: the other view of an Event. */
import { always, int32, microTime, omitempty, pointer, string, struct, time } from "../types.ts";
import { eventSource, objectReference } from "./core.ts";
import { objectMeta } from "./meta.ts";

export const event = struct("Event", {
  metadata: always(1, objectMeta),
  eventTime: always(2, microTime),
  series: pointer(
    3,
    struct("EventSeries", { count: always(1, int32), lastObservedTime: always(2, microTime) }),
  ),
  reportingController: omitempty(4, string),
  reportingInstance: omitempty(5, string),
  action: omitempty(6, string),
  reason: omitempty(7, string),
  regarding: omitempty(8, objectReference),
  related: pointer(9, objectReference),
  note: omitempty(10, string),
  type: omitempty(11, string),
  deprecatedSource: omitempty(12, eventSource),
  deprecatedFirstTimestamp: omitempty(13, time),
  deprecatedLastTimestamp: omitempty(14, time),
  deprecatedCount: omitempty(15, int32),
});
